/**
 * Wrong: the machine's DSB does not wait for vCPU 0, as if the completion of a TLBI left one PE out.
 *
 * Evidence: R_YNJCP (a TLBI is complete when every PE of the domain has finished). Caught by:
 * freed-table or stale-translation, by `stress` alone.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const dsbSkipsVcpu = defineMutant({
  name: 'dsb-skips-vcpu',
  what: 'a DSB after a TLBI does not wait for one of the vCPUs',
  evidence: 'R_YNJCP',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'dsb-skips-vcpu' },
  caughtBy: onThreads(['stale-translation', 'freed-table', 'wrong-output-address']),
  missedBy: [notThisMachine()],
});
