/**
 * Wrong: the flush after write-protection is issued and not waited for. What a vCPU stores through the
 * old translation before it takes the TLBI may come after the page was sent.
 *
 * Evidence: R_TGVWD, R_YNJCP; kernel __kvm_tlb_flush_vmid. Caught by: lost-dirty, once a migration
 * is complete.
 */
import { defineProtocol } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const protectWithoutDsb = defineMutant({
  name: 'protect-without-dsb',
  what: 'no DSB between the flush after write-protection and the copy of the pages',
  evidence: 'R_TGVWD, R_YNJCP; kernel __kvm_tlb_flush_vmid',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'protect-without-dsb' },
  explored: {
    twin: 'write-protect',
    protocol: defineProtocol({
      name: 'protect-without-dsb',
      kind: 'protect',
      form: 'restrict',
      summary: 'write-protect without the DSB after its TLBI',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t) {
        cpu.write(t.entry, t.wanted);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
      },
    }),
  },
  caughtBy: [
    ...onThreads(['lost-dirty'], { scenario: 'migration-complete' }),
    inModel(['lost-dirty']),
  ],
  missedBy: [],
});
