/**
 * Wrong: the pre-order step installs the block and frees the old subtree, and the walk goes on with
 * the descriptor it has read before: down into the freed table, where it "maps" a page.
 *
 * Evidence: kernel commit a9f0e3d5a089 (v6.4, Fixes 5c359cca1faf of v6.2), seen on pKVM, which has
 * no RCU to hide it. Caught by: freed-table under `stress`, as the page's next user finds a store
 * in it, and refcount, as it counts on a page nobody owns; by `explore` from the operations.
 */
import { childLevel, defineProtocol, flushVmid, isValid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const walksIntoFreed = defineMutant({
  name: 'walks-into-freed',
  what: 'the walk descends into the table its own pre-order step has freed, and maps a page there',
  evidence: 'kernel commit a9f0e3d5a089 (v6.4; Fixes 5c359cca1faf)',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'walks-into-freed',
      kind: 'coalesce',
      summary: 'bbm-early that goes on into the old table after its teardown',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        const entry = tables.entryOf(child, 0);
        if (!isValid(cpu.read(entry))) {
          cpu.writeRelease(entry, tables.childLeaf(t.wanted, t.level, 0));
          tables.get(entry);
        }
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table', 'refcount']),
    inModel(['freed-table'], { by: 'operations' }),
  ],
  missedBy: [],
});
