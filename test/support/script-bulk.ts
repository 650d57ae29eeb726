/** Operations on whole table pages, entry by entry: for pools without an arena, and to compare with. */
import type { PageBulk } from '../../src/pgtable/page-bulk.ts';
import type { PagePoolMemory } from '../../src/pgtable/page-meta.ts';

export function scriptBulk({
  descriptors,
  geometry,
}: Pick<PagePoolMemory, 'descriptors' | 'geometry'>): PageBulk {
  const { entriesPerTable: entries } = geometry;
  const entriesOf = (page: number): BigUint64Array =>
    descriptors.subarray(page * entries, (page + 1) * entries);
  const joined = (low: number, high: number): bigint =>
    (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return {
    fill(page, low, high, step) {
      const first = joined(low, high);
      entriesOf(page).forEach((_, i, all) => (all[i] = first + BigInt(i) * BigInt(step)));
    },
    holdsOnly: (page, low, high) => entriesOf(page).every((d) => d === joined(low, high)),
    countValid: (page) => entriesOf(page).filter((d) => (d & 1n) === 1n).length,
  };
}
