/**
 * Wrong: the block is broken before the memory for its table is there, and when there is none the entry is
 * left as it is then: a hole where memory was mapped.
 *
 * Evidence: R_DDMVT (nothing is said to come back); kernel kvm_pgtable_stage2_split, which allocates first.
 * Caught by: break-before-make, from the operations: accesses that fault on the hole are right to. Who left
 * it LOCKED beside faults that hold the lock for reading would stop them for ever: left-locked.
 */
import { childLevel, defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

const FILLED_AGAIN =
  'an access that meets the hole takes a fault, which is right to where nothing is mapped, and the ' +
  "handler maps the memory again, as KVM's does with the lock held: it is slower, and nothing is lost";

export const oomHole = defineMutant({
  name: 'oom-hole',
  what: 'a block is broken before its table is allocated, and left broken if there is no memory',
  evidence: 'kernel kvm_pgtable_stage2_split (v6.5), which allocates before it breaks',
  rule: 'break-before-make',
  twin: 'split-or-keep',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'oom-hole',
      kind: 'split',
      summary: 'LOCKED, flush IPA, then allocate, or return',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        tables.put(t.entry);
        const table = tables.tryAllocate(childLevel(t.level));
        if (table === null) return;
        tables.get(t.entry);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['break-before-make'], { by: 'operations', unseen: FILLED_AGAIN }),
    inModel(['break-before-make'], { by: 'operations', unseen: FILLED_AGAIN }),
  ],
  missedBy: [],
});
