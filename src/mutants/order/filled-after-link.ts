/**
 * Wrong: the table is linked first and filled afterwards, each store a release. Walkers find empty
 * entries in between, though the protocol claims that no access ever faults.
 *
 * Evidence: the order of kvm_pgtable_stage2_split (v6.5), which builds the subtree before it links
 * it. Caught by: claim, on any engine.
 */
import { childLevel, defineProtocol, flushIpa, NT } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const filledAfterLink = defineMutant({
  name: 'filled-after-link',
  what: 'the new table is linked before its entries are filled',
  evidence: 'kernel pgtable.c, kvm_pgtable_stage2_split (v6.5)',
  rule: 'claim',
  twin: 'nt-split',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'filled-after-link',
      kind: 'split',
      summary: 'nt-split that links an empty table and fills it then',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const table = tables.allocate(childLevel(t.level));
        cpu.write(t.entry, t.old | NT);
        flushIpa(cpu, t.ipa, t.level);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        for (let i = 0; i < tables.entries; i++) {
          const entry = tables.entryOf(table, i);
          cpu.writeRelease(entry, tables.childLeaf(t.wanted, t.level, i));
          tables.get(entry);
        }
        flushIpa(cpu, t.ipa, t.level);
      },
    }),
  },
  caughtBy: [...onThreads(['claim']), inModel(['claim'])],
  missedBy: [],
});
