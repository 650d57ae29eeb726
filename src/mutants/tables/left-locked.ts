/**
 * Wrong: the protocol gives up between break and make and leaves the entry LOCKED. Under the shared
 * lock that value means "somebody is at it, come back", so vCPUs come back for ever.
 *
 * Evidence: KVM_INVALID_PTE_LOCKED (v6.2); the livelock that Oliver Upton described in 2023-09 for
 * faults whose handler keeps answering "retry". Caught by: progress under `stress`, a second after
 * the hypervisor has stopped; break-before-make by `explore`, from the operations.
 */
import { defineProtocol, flushVmid, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const leftLocked = defineMutant({
  name: 'left-locked',
  what: 'the entry is left LOCKED: fault handlers answer "retry" for ever',
  evidence: 'KVM v6.2 KVM_INVALID_PTE_LOCKED; stage2_try_break_pte',
  rule: 'progress',
  twin: 'bbm-early-locked',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'left-locked',
      kind: 'coalesce',
      summary: 'bbm-early-locked that stops after its flush',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t) {
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        flushVmid(cpu);
      },
    }),
  },
  caughtBy: [...onThreads(['progress']), inModel(['break-before-make'], { by: 'operations' })],
  missedBy: [],
});
