/**
 * Wrong: tables of pages become blocks from the bottom up, each written straight over its table, before
 * the entry above them is broken.
 *
 * Evidence: TF-Hafnium commit c1012d6b. Caught by: freed-table or tlb-conflict in the model; on threads
 * by the operations.
 */
import { childLevel, defineProtocol, flushVmid, isTable, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const defragmentedInPlace = defineMutant({
  name: 'defragmented-in-place',
  what: 'tables below the entry become blocks in place, without break-before-make',
  evidence: 'TF-Hafnium commit c1012d6b; R_WHZWS, R_KFLJB',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'defragmented-in-place',
      kind: 'coalesce',
      summary: 'bbm-early after its child tables were replaced by blocks in place',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        const below = childLevel(t.level);
        for (let i = 0; i < tables.entries; i++) {
          const entry = tables.entryOf(child, i);
          const was = cpu.read(entry);
          if (!isTable(was, below)) continue;
          cpu.writeRelease(entry, tables.childLeaf(t.wanted, t.level, i));
          tables.tearDown(tables.follow(was), 3);
        }
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, below);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['break-before-make', 'freed-table'], { level: 1, by: 'operations' }),
    inModel(['freed-table', 'tlb-conflict'], { level: 1 }),
  ],
  missedBy: [],
});
