/**
 * Two TLB entries that match one IPA may abort the access (R_FVQCK), and KVM kills the VM for it
 * (no handler for FSC 0x30). A PE that picks one of them instead has done nothing that the guest
 * can see.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, ofKind, sighting, who } from '../sighting.ts';

export const tlbConflict: RuleChecker = {
  rule: 'tlb-conflict',
  summary:
    'two TLB entries match one IPA, and the CPU aborts or the protocol claims it cannot happen',
  origin:
    'R_FVQCK, R_MRRPW, I_HYQMB; kernel commit 3a0b870e3448; no handler in the RFC of 2021-01-26',
  sees: ['conflict'],
  judge(run: JudgedRun): Finding[] {
    if (run.claims.handlesConflict === true) return [];
    return ofKind(run.evidence, 'conflict')
      .filter((e) => e.aborted)
      .map((e) => {
        const levels = [...e.levels].sort((a, b) => a - b).join(' and ');
        const why =
          `${who(e)}${at(e)} took a TLB conflict abort: entries of levels ${levels} match, ` +
          'and the protocol does not claim handlesConflict';
        return sighting('tlb-conflict', e, levels, why);
      });
  },
};
