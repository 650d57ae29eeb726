/**
 * Wrong: the flush after write-protection is issued and not waited for. What a vCPU stores through the
 * old translation before it takes the TLBI may come after the page was sent.
 *
 * Evidence: R_TGVWD, R_YNJCP; kernel __kvm_tlb_flush_vmid. Caught by: lost-dirty, once a migration
 * is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const protectWithoutDsb = defineMutant({
  name: 'protect-without-dsb',
  what: 'no DSB between the flush after write-protection and the copy of the pages',
  evidence: 'R_TGVWD, R_YNJCP; kernel __kvm_tlb_flush_vmid',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'protect-without-dsb' },
  caughtBy: onThreads(['lost-dirty'], { scenario: 'migration-complete' }),
  missedBy: [notInModel('it does not model dirty logging')],
});
