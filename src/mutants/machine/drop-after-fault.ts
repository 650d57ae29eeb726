/**
 * Wrong: an access that faulted is not tried again once the fault is handled. The guest goes on as
 * if it had been made.
 *
 * Evidence: a fault returns to the instruction that took it (ELR_EL2); "no access is lost" is the
 * project's own first promise. Caught by: lost-access (accounting), by `stress` alone.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const dropAfterFault = defineMutant({
  name: 'drop-after-fault',
  what: 'an access that faulted is not made again after the fault was handled',
  evidence: 'DDI 0487 D1 (exception return to the faulting instruction)',
  rule: 'lost-access',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'drop-after-fault' },
  caughtBy: onThreads(['lost-access']),
  missedBy: [notThisMachine()],
});
