/** What the table page pool finds odd while it works, in the checker's words. */
import { assertNever } from '../../arch/assert.ts';
import type { AnomalyKind } from '../../pgtable/page-pool.ts';
import type { Evidence } from '../../result/evidence.ts';

/** A pool anomaly as evidence; null for what another observation says better. */
export function anomalyEvidence(
  kind: AnomalyKind,
  page: number,
  found: number,
  expected: number,
  round: number,
): Evidence | null {
  const where = { vcpu: null, round, ipa: null };
  switch (kind) {
    case 'double-free':
      return { ...where, kind: 'refcount', table: page, found, expected, misuse: 'freed-twice' };
    case 'count-of-free':
      return {
        ...where,
        kind: 'refcount',
        table: page,
        found,
        expected,
        misuse: 'counted-while-free',
      };
    case 'free-count':
    case 'over-put':
      return { ...where, kind: 'refcount', table: page, found, expected };
    case 'stale-table':
      return {
        ...where,
        kind: 'freed',
        reader: 'software',
        table: page,
        expectedGeneration: expected,
        foundGeneration: found,
        poisoned: false,
      };
    case 'written-while-free':
    case 'bad-table':
      return {
        ...where,
        kind: 'freed',
        reader: 'software',
        table: page,
        expectedGeneration: 0,
        foundGeneration: 0,
        poisoned: kind === 'written-while-free',
        // What the pool says beside the page is an index into it.
        found: { entry: found, is: kind === 'bad-table' ? 'no-table' : kind },
      };
    case 'exhausted':
      return { ...where, kind: 'leak', tables: Math.max(1, expected) };
    default:
      return assertNever(kind);
  }
}
