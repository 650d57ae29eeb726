/**
 * Wrong: the releases are on the wrong stores. Every entry of the new table is filled by a
 * store-release and the table itself linked by a plain store, which may become visible before any
 * of them.
 *
 * Evidence: kernel comments on smp_store_release in stage2_make_pte and kvm_pgtable_stage2_split: it
 * is the link that has to be the release. Caught by: freed-table (the walker reads the page as its
 * last user left it) or claim (it finds the page empty), in `stress` with --reorder and by `explore`.
 */
import { childLevel, defineProtocol, flushIpa, NT } from '../../port/index.ts';
import { inModel, whenReordered } from '../catches.ts';
import { hostOrdersIt } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const releaseOnChildren = defineMutant({
  name: 'release-on-children',
  what: 'entries of the new table are store-releases, and the link that publishes them is not',
  evidence: 'kernel pgtable.c, smp_store_release in stage2_make_pte (v6.2)',
  rule: 'freed-table',
  twin: 'nt-split',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'release-on-children',
      kind: 'split',
      summary: 'nt-split that fills its table by releases after the flush, and links it plainly',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        cpu.write(t.entry, t.old | NT);
        flushIpa(cpu, t.ipa, t.level);
        const table = tables.allocate(childLevel(t.level));
        for (let i = 0; i < tables.entries; i++) {
          const entry = tables.entryOf(table, i);
          cpu.writeRelease(entry, tables.childLeaf(t.wanted, t.level, i));
          tables.get(entry);
        }
        cpu.write(t.entry, tables.descriptorFor(table));
        flushIpa(cpu, t.ipa, t.level);
      },
    }),
  },
  caughtBy: [...whenReordered(['freed-table', 'claim']), inModel(['freed-table', 'claim'])],
  missedBy: hostOrdersIt(),
});
