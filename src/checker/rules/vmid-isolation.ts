/**
 * VMIDs keep VMs apart in the TLB: no VM is sent to another one's memory, also when it has the VMID
 * that the other had before, and no VM loses its entries to a flush that was not for it.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, hex, ofKind, sighting, who } from '../sighting.ts';

export const vmidIsolation: RuleChecker = {
  rule: 'vmid-isolation',
  summary: "a VM used another VM's translation, or a TLBI for one VM acted on another",
  origin: 'R_NWYRD; kernel arch/arm64/kvm/vmid.c; casemate bad_bbm_by_wrong_VMID',
  sees: ['foreign', 'neighbour'],
  judge(run: JudgedRun): Finding[] {
    const foreign = ofKind(run.evidence, 'foreign').map((e) => {
      const why =
        `the second VM on ${who(e)}${at(e)} was sent to ${hex(e.found)}, memory of the VM that had ` +
        `its VMID before; its own is ${hex(e.expected)}: the VMID was reused without TLBI ALLE1IS`;
      return sighting('vmid-isolation', e, 'foreign', why, 1);
    });
    const lost = ofKind(run.evidence, 'neighbour').map((e) => {
      const why =
        `the second VM on ${who(e)} lost its TLB entry${at(e)}, though nothing was flushed but the ` +
        'first VM: a TLBI named the wrong VMID';
      return sighting('vmid-isolation', e, 'neighbour', why);
    });
    return [...foreign, ...lost];
  },
};
