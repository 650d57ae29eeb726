/**
 * Wrong: a vCPU that fills a hole under the shared lock meets an entry that is LOCKED and takes it for
 * an empty one. It makes a table of its own there, which the owner of the entry then overwrites.
 *
 * Evidence: kernel stage2_try_break_pte (v6.2), which refuses LOCKED. Caught by: table-leak, refcount.
 */
import { defineProtocol, isValid, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const lockedTaken = defineMutant({
  name: 'locked-taken',
  what: 'a vCPU that fills a hole takes a LOCKED entry for an empty one',
  evidence: 'kernel stage2_try_break_pte (v6.2)',
  rule: 'table-leak',
  twin: 'bbm-early-locked',
  seed: { kind: 'machine', bug: 'locked-taken' },
  explored: {
    twin: 'map-hole',
    protocol: defineProtocol({
      name: 'locked-taken',
      kind: 'map',
      summary: 'map-hole, which takes whatever is not valid for empty',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        if (isValid(t.old)) return;
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['table-leak', 'refcount'], { scenario: 'parallel-faults' }),
    inModel(['refcount'], { by: 'operations' }),
  ],
  missedBy: [],
});
