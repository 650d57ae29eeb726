/**
 * Wrong: the teardown takes the entries of the top page for pages, whatever its level, and frees
 * that page alone. Below a 1 GiB entry 512 tables are lost with every transition.
 *
 * Evidence: the level of a child is its parent's plus one everywhere in pgtable.c;
 * `unknown-bbm-abort` leaks the same way. Caught by: table-leak, from the audit under `stress` and from the
 * operations under `explore`, at level 1.
 */
import { defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const teardownWrongLevel = defineMutant({
  name: 'teardown-wrong-level',
  what: 'the old subtree is torn down as if its top page held pages: the tables below are lost',
  evidence: 'kernel pgtable.c (child level = level + 1)',
  rule: 'table-leak',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'teardown-wrong-level',
      kind: 'coalesce',
      summary: 'bbm-early that tears down at level 3',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, 3);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['table-leak'], { level: 1 }),
    inModel(['table-leak'], { level: 1, by: 'operations' }),
  ],
  missedBy: [],
});
