/**
 * Wrong: the TLBI acts on the VMID of another VM, as when VTTBR_EL2 was not switched before it. The
 * VM whose table changes keeps all its translations.
 *
 * Evidence: casemate's bad_bbm_by_wrong_VMID; KVM switches VTTBR in every flush hypercall for this.
 * Caught by: stale-translation, on any engine, and where there is a second VM by what that one loses
 * (vmid-isolation).
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

/** Nobody's: the one VM there is has VMID 1. */
const OTHER_VMID = 2;

export const wrongVmid = defineMutant({
  name: 'wrong-vmid',
  what: 'the TLBI names the VMID of another VM',
  evidence: 'casemate bad_bbm_by_wrong_VMID; kernel nvhe/tlb.c, __tlb_switch_to_guest',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'wrong-vmid',
      kind: 'coalesce',
      summary: 'bbm-early whose TLBI names another VMID',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is', vmid: OTHER_VMID });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'freed-table', 'wrong-output-address']),
    { engine: 'stress', rules: ['vmid-isolation'], scenario: 'two-vms' },
    inModel(['stale-translation']),
  ],
  missedBy: [],
});
