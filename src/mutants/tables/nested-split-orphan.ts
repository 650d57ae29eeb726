/**
 * Wrong: to split a block a page is allocated, which splits the same block on the way; back from there
 * the page is filled and never linked, as the entry holds a table already.
 *
 * Evidence: tianocore/edk2 #12391. Caught by: table-leak, on any engine.
 */
import { childLevel, defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const nestedSplitOrphan = defineMutant({
  name: 'nested-split-orphan',
  what: 'a nested split has split the block already, and the table that was meant for it is forgotten',
  evidence: 'tianocore/edk2 #12391',
  rule: 'table-leak',
  twin: 'split-eager',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'nested-split-orphan',
      kind: 'split',
      summary: 'split-eager that forgets a table of its own',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const own = tables.allocate(childLevel(t.level));
        const inner = tables.buildSubtree(t.level, t.wanted);
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        cpu.writeRelease(t.entry, tables.descriptorFor(inner));
        cpu.dsb('ishst');
        for (let i = 0; i < tables.entries; i++) {
          const entry = tables.entryOf(own, i);
          cpu.write(entry, tables.childLeaf(t.wanted, t.level, i));
          tables.get(entry);
        }
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['table-leak']), inModel(['table-leak'], { by: 'operations' })],
  missedBy: [],
});
