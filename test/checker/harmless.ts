/**
 * Deletions and weakenings that break nothing, each with the reason. The tests hold both ways: what
 * is listed must pass, what is not must be caught.
 */
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';

export interface Harmless {
  /** Name of the sequence, or any. */
  readonly sequence: RegExp;
  /** Label of the mutation. */
  readonly mutation: RegExp;
  readonly levels: readonly BbmLevel[];
  readonly why: string;
}

const ALL: readonly BbmLevel[] = [0, 1, 2, 3];
const DIRECT: readonly BbmLevel[] = [2, 3];

export const HARMLESS: readonly Harmless[] = [
  {
    sequence: /./,
    mutation: /isb: delete/,
    levels: ALL,
    why: 'ISB synchronises the context of the issuing PE (VTTBR switches); no walker waits for it',
  },
  {
    sequence: /./,
    mutation: /final: delete/,
    levels: ALL,
    why: 'the last store becomes visible in its own time; until then walkers see what stood before',
  },
  {
    sequence: /^(bbm|rfc-l0)/,
    mutation: /store: plain/,
    levels: ALL,
    why: 'the DSBs of the flush order everything before the block already',
  },
  {
    sequence: /^(nt-spec|bbml2-direct)$/,
    mutation: /store: plain/,
    levels: ALL,
    why: 'a plain leaf may show memory whose contents are late: low severity',
  },
  {
    sequence: /^(split-lazy|split-eager|nt-split)$/,
    mutation: /store: plain/,
    levels: ALL,
    why: 'the DSBs of the flush between filling and linking order the contents of the table',
  },
  {
    sequence: /^(split-lazy|split-eager|nt-split)$/,
    mutation: /stage2: last level/,
    levels: ALL,
    why: 'the old entry is a block: there is no walk-cache entry below it to remove',
  },
  {
    sequence: /^nt-spec$/,
    mutation: /^second (order|flush|complete)/,
    levels: ALL,
    why: 'after clearing nT the mapping is the same: a second TLBI is due by R_GPPYH: a note',
  },
  {
    sequence: /^nt-spec$/,
    mutation: /^(order|flush|complete)/,
    levels: DIRECT,
    why: 'levels 2 and 3 need no nT: the second flush removes the old table before it is freed',
  },
  {
    sequence: /^nt-split$/,
    mutation: /^second (order|stage2|between|stage1|complete)/,
    levels: [1],
    why: 'a PE of level 1 does not cache the nT block: a TLBI is formally due (R_GPPYH), a note',
  },
  {
    sequence: /^nt-split$/,
    mutation: /^(order|stage2|between|stage1|complete)/,
    levels: DIRECT,
    why: 'levels 2 and 3 need no nT: the second flush removes the block, with or without nT',
  },
];

export function harmless(sequence: string, mutation: string, level: BbmLevel): Harmless | null {
  const fits = (h: Harmless): boolean =>
    h.sequence.test(sequence) && h.mutation.test(mutation) && h.levels.includes(level);
  return HARMLESS.find(fits) ?? null;
}
