/**
 * At the end every table page is free or reachable from the root. KVM's free walker skips invalid
 * entries, so a table left behind one is lost (facts: defect D2; bugs B26, B39).
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { ofKind, sighting } from '../sighting.ts';

export const tableLeak: RuleChecker = {
  rule: 'table-leak',
  description: 'at the end a table page is neither free nor reachable from the root',
  origin: 'RFC of 2021-01-26, patch 4/5 (defect D2)',
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'leak').map((e) => {
      const why = `${e.tables} table page(s) neither free nor reachable from the root at the end`;
      const finding = sighting('table-leak', e, 'leak', why, e.tables);
      return { ...finding, count: e.tables };
    });
  },
};
