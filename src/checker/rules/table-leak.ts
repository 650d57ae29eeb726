/**
 * At the end every table page is free or reachable from the root. KVM's free walker skips invalid
 * entries, so a table left behind one is lost
 * (`unknown-bbm-abort` and `locked-taken` of docs/bugs.md).
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { ofKind, sighting } from '../sighting.ts';

export const tableLeak: RuleChecker = {
  rule: 'table-leak',
  summary: 'a table page is neither reachable nor free at the end',
  origin: 'RFC of 2021-01-26, patch 4/5 (-EINVAL after the entry was invalidated)',
  sees: ['leak'],
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'leak').map((e) => {
      const why = `${e.tables} table page(s) neither free nor reachable from the root at the end`;
      const finding = sighting('table-leak', e, 'leak', why, e.tables);
      return { ...finding, count: e.tables };
    });
  },
};
