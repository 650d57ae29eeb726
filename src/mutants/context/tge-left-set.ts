/**
 * Wrong: the host of VHE flushes with HCR_EL2.TGE set, so that VMALLE1IS acts on its own EL2&0 regime and the
 * guest's combined entries stay.
 *
 * Evidence: FreeBSD's bhyve, sys/arm64/vmm/vmm_hyp.c, s2_tlbi_range with VMM_VHE: it clears the bit in
 * TCR_EL2. Caught by: stale-translation, on any engine.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const tgeLeftSet = defineMutant({
  name: 'tge-left-set',
  what: 'VMALLE1IS is issued with HCR_EL2.TGE set: it flushes the host, and combined entries survive',
  evidence: 'FreeBSD sys/arm64/vmm/vmm_hyp.c, s2_tlbi_range (VMM_VHE clears HCR_TGE in TCR_EL2)',
  rule: 'stale-translation',
  twin: 'bbm-early-vhe',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'tge-left-set',
      kind: 'coalesce',
      context: 'vhe-host',
      summary: 'bbm-early-vhe that leaves HCR_EL2.TGE as it is',
      origin: 'FreeBSD sys/arm64/vmm/vmm_hyp.c',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.writeVttbr(t.vmid, 'guest');
        cpu.isb();
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
        cpu.dsb('ish');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'wrong-output-address', 'freed-table']),
    inModel(['stale-translation']),
  ],
  missedBy: [],
});
