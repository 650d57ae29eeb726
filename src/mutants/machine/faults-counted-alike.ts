/**
 * Wrong: a fault on a page that was never mapped is counted like one on a page that was mapped all
 * the time. A protocol without any window then seems to have one.
 *
 * Evidence: upstream's kvm_page_table_test counts, and times, both alike in ADJUST. Caught by:
 * claim, by `stress` alone, where a scenario leaves holes and the protocol claims neverInvalid.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const faultsCountedAlike = defineMutant({
  name: 'faults-counted-alike',
  what: 'a fault that maps a page for the first time is counted as a spurious one',
  evidence: 'kvm_page_table_test, ADJUST: half of its faults are genuine',
  rule: 'claim',
  twin: 'rfc-nt-intended',
  seed: { kind: 'machine', bug: 'faults-counted-alike' },
  caughtBy: onThreads(['claim'], { scenario: 'adjust-half' }),
  missedBy: [notThisMachine()],
});
