/**
 * Wrong: the DSB before the broadcast TLBI is Non-shareable. It completes the store for walks of
 * the issuing PE only; other PEs may read the old entry after they have dropped it.
 *
 * Evidence: KVM's own local flush (__kvm_tlb_flush_vmid_ipa_nsh) begins with DSB NSHST, right there
 * and wrong before a broadcast; R_DDMVT step 2. Caught by: stale-translation in `stress` with
 * --reorder and by `explore`.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, whenReordered } from '../catches.ts';
import { hostOrdersIt } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const localDsbBeforeTlbi = defineMutant({
  name: 'local-dsb-before-tlbi',
  what: 'the DSB before the broadcast TLBI is Non-shareable: other PEs still read the old entry',
  evidence: 'R_DDMVT step 2; the sequence of KVM v6.5 __kvm_tlb_flush_vmid_ipa_nsh, out of place',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'local-dsb-before-tlbi',
      kind: 'coalesce',
      summary: 'bbm-early with DSB NSHST in place of DSB ISHST',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('nshst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...whenReordered(['stale-translation', 'freed-table', 'wrong-output-address']),
    inModel(['stale-translation']),
  ],
  missedBy: hostOrdersIt(),
});
