/**
 * Wrong: a migration write-protects the pages it is about to send and does not flush the TLBs. A vCPU
 * that still holds the writable translation stores without a fault, after the page was sent.
 *
 * Evidence: R_GPPYH; kernel kvm_flush_remote_tlbs after kvm_get_dirty_log_protect. Caught by:
 * lost-dirty, once a migration is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const protectUnflushed = defineMutant({
  name: 'protect-unflushed',
  what: 'pages are write-protected for a migration and the TLBs not flushed',
  evidence: 'R_GPPYH; kernel kvm_flush_remote_tlbs after kvm_get_dirty_log_protect',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'protect-unflushed' },
  caughtBy: onThreads(['lost-dirty'], { scenario: 'migration-complete' }),
  missedBy: [notInModel('it does not model dirty logging')],
});
