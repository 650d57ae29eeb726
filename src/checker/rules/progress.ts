/**
 * Once the hypervisor stops, every vCPU finishes its accesses within a bound: a fault path that
 * answers "retry" for ever (LOCKED left behind, B39; a flush skipped by the loser of a race, B18)
 * does not.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, ofKind, sighting, who } from '../sighting.ts';

export const progress: RuleChecker = {
  rule: 'progress',
  description: 'a vCPU does not finish its accesses after the hypervisor has stopped',
  origin: 'stage2_try_break_pte (v6.2); facts: bugs B18, B39',
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'progress').map((e) => {
      const why =
        `${who(e)}${at(e)} did not finish its accesses within ${e.waitedMs} ms after the ` +
        'hypervisor had stopped';
      return sighting('progress', e, 'progress', why, e.waitedMs);
    });
  },
};
