/**
 * Wrong: the block goes over the table at BBM level 2, and nobody handles the conflict abort that
 * this may raise until the flush is complete.
 *
 * Evidence: kvm_handle_guest_abort knows no FSC 0x30 and returns -EFAULT to the VMM, in v5.11 and
 * today. Caught by: tlb-conflict, on any engine, on a CPU that aborts.
 */
import { childLevel, defineProtocol, flushVmid } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const conflictUnhandled = defineMutant({
  name: 'conflict-unhandled',
  what: 'sizes are changed directly at BBM level 2 and no handler takes the conflict abort',
  evidence: 'kernel kvm_handle_guest_abort ("Unsupported FSC"); R_FVQCK, I_HYQMB',
  rule: 'tlb-conflict',
  twin: 'bbml2-direct',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'conflict-unhandled',
      kind: 'coalesce',
      summary: 'bbml2-direct without the claim to handle conflict aborts',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      cpu: { bbm: [2] },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, t.wanted) !== t.old) return;
        flushVmid(cpu);
        tables.tearDown(child, childLevel(t.level));
      },
    }),
  },
  caughtBy: [...onThreads(['tlb-conflict']), inModel(['tlb-conflict'])],
  missedBy: [],
});
