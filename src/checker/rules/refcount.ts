/**
 * A table page's count is 1 + its valid entries (KVM: mm_ops get_page and put_page). Too high and
 * it is never freed, too low and it is freed in use.
 */
import { assertNever } from '../../arch/assert.ts';
import type { Misuse } from '../../result/evidence.ts';
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { hex, ofKind, sighting } from '../sighting.ts';

function misused(misuse: Misuse, table: number): string {
  const page = `table page ${hex(table)}`;
  switch (misuse) {
    case 'freed-twice':
      return `${page} is freed twice: the second time it is not in use any more`;
    case 'counted-while-free':
      return `get_page or put_page of an entry of ${page}, which is free: its count is nobody's then`;
    default:
      return assertNever(misuse);
  }
}

export const refcount: RuleChecker = {
  rule: 'refcount',
  summary: "a table page's count is not 1 + its valid entries at the end",
  origin: 'kernel commit 5c646b7e1d8b',
  sees: ['refcount'],
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'refcount').map((e) => {
      if (e.misuse !== undefined)
        return sighting('refcount', e, e.misuse, misused(e.misuse, e.table), 1);
      const drift = e.found - e.expected;
      const kind = drift > 0 ? 'a put is missing' : 'a get is missing or a put too many';
      const why =
        `table page ${hex(e.table)} has count ${e.found}, but 1 + its valid entries is ` +
        `${e.expected}: ${kind}`;
      return sighting('refcount', e, drift > 0 ? 'high' : 'low', why, Math.abs(drift));
    });
  },
};
