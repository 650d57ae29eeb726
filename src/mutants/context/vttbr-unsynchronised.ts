/**
 * Wrong: no ISB between the write of VTTBR_EL2 and the TLBI. Until context synchronisation the TLBI may act
 * on the VMID that was there before, the host's, and the VM keeps all its translations.
 *
 * Evidence: casemate's bad_switch_wrong_vmid; hyp/nvhe/tlb.c has exactly one ISB there, whichever CPU it
 * runs on. Caught by: stale-translation, on any engine.
 */
import { childLevel, defineProtocol, HOST_VMID, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const vttbrUnsynchronised = defineMutant({
  name: 'vttbr-unsynchronised',
  what: 'no ISB between the write of VTTBR_EL2 and the TLBI, which may act on the old VMID',
  evidence:
    'casemate bad_switch_wrong_vmid; kernel nvhe/tlb.c, __tlb_switch_to_guest; DDI 0487 D24.1.2',
  rule: 'stale-translation',
  twin: 'bbm-early-nvhe',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'vttbr-unsynchronised',
      kind: 'coalesce',
      context: 'nvhe-host',
      summary: 'bbm-early-nvhe without the ISB behind VTTBR_EL2',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ish');
        cpu.writeVttbr(t.vmid, 'guest');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeVttbr(HOST_VMID, 'host');
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'freed-table', 'wrong-output-address']),
    inModel(['stale-translation', 'freed-table']),
  ],
  missedBy: [],
});
