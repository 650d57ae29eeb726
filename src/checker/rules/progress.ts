/**
 * Once the hypervisor stops, every vCPU finishes its accesses within a bound: a fault path that
 * answers "retry" for ever (LOCKED left behind; a flush skipped by the loser of a race)
 * does not.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, ofKind, sighting, who } from '../sighting.ts';

export const progress: RuleChecker = {
  rule: 'progress',
  summary: 'a vCPU did not finish its accesses after the hypervisor stopped',
  origin: 'stage2_try_break_pte (v6.2); kernel commit a12ab1378a88',
  sees: ['livelock', 'progress'],
  judge(run: JudgedRun): Finding[] {
    const livelocks = ofKind(run.evidence, 'livelock').map((e) => {
      const why =
        `${who(e)}${at(e)} faulted ${e.faults} times in one access although software found the ` +
        'mapping good each time: the hardware walks something software no longer sees';
      return sighting('progress', e, 'livelock', why, e.faults);
    });
    const unfinished = ofKind(run.evidence, 'progress').map((e) => {
      const why =
        `${who(e)}${at(e)} did not finish its accesses within ${e.waitedMs} ms after the ` +
        'hypervisor had stopped';
      return sighting('progress', e, 'progress', why, e.waitedMs);
    });
    return [...livelocks, ...unfinished];
  },
};
