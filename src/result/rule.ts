/**
 * The rules the checker knows, by the names users see: one file each in `src/checker/rules`.
 */
export const RULES = [
  'lost-access',
  'stale-translation',
  'wrong-output-address',
  'wrong-permission',
  'torn-descriptor',
  'freed-table',
  'tlb-conflict',
  'break-before-make',
  'claim',
  'lost-dirty',
  'vmid-isolation',
  'table-leak',
  'refcount',
  'progress',
] as const;
export type Rule = (typeof RULES)[number];
