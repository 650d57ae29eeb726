/**
 * A translation has the permissions of some version of the mapping: a block left writable while its
 * pages are logged lets stores past the dirty log (kernel commit 7d894834a305).
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, ofKind, sighting, source, who } from '../sighting.ts';

export const wrongPermission: RuleChecker = {
  rule: 'wrong-permission',
  summary: 'a translation grants or denies what no version of the mapping does',
  origin: 'R_FVQCK (amalgamation); kernel commit 7d894834a305',
  sees: ['permission'],
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'permission').map((e) => {
      const why =
        `${who(e)}${at(e)} was given permission ${e.found} where every version of the mapping ` +
        `has ${e.expected}; it came from ${source(e.via)}`;
      return sighting('wrong-permission', e, `${e.found} for ${e.expected}`, why);
    });
  },
};
