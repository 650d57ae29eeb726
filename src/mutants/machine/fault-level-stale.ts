/**
 * Wrong, and what KVM does: whether a permission fault is answered by relaxing the leaf follows from the
 * level in the syndrome. If the page that faulted has become a write-protected block by the time the
 * vCPU has the lock (one migration cancelled, the next begun), all of the block becomes writable.
 *
 * Evidence: kernel user_mem_abort, vma_pagesize == fault_granule; found by this harness. Caught by:
 * lost-dirty, once a migration is complete; with two vCPUs, because one alone does not wait for the
 * lock long enough.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const faultLevelStale = defineMutant({
  name: 'fault-level-stale',
  what: 'a permission fault relaxes by the level it was taken at, not by what is mapped when it is handled',
  evidence: 'kernel user_mem_abort, vma_pagesize == fault_granule; found by this harness',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'fault-level-stale' },
  caughtBy: onThreads(['lost-dirty'], { scenario: 'migration-complete', vcpus: 2 }),
  missedBy: [notInModel('it does not model dirty logging')],
});
