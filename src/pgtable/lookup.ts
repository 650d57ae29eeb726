/** Reads one translation without changing anything (kvm_pgtable_get_leaf). */
import type { Stage2 } from './stage2.ts';
import { type Visit, walk, type WalkOptions } from './walker.ts';

/**
 * The leaf that maps `ipa`, or the invalid entry where the walk for it ends; null beyond the table.
 */
export function findLeaf(s2: Stage2, ipa: number, options?: WalkOptions): Visit | null {
  let found: Visit | null = null;
  walk<never>(
    s2,
    ipa,
    1,
    {
      leaf(v) {
        found = v;
        return null;
      },
    },
    options,
  );
  return found;
}
