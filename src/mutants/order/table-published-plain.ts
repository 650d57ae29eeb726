/**
 * Wrong: the new table is filled after the flush and linked by a plain store. No barrier stands
 * between contents and link, so a walker may find the link first and, below it, what the page held
 * before. The twin has no window: vCPUs walk all through it.
 *
 * Evidence: smp_store_release in kvm_pgtable_stage2_split and in kvm_set_table_pte, and the comments
 * there. Caught by: freed-table (the walker reads the page as its last user left it), in `stress`
 * with --reorder and by `explore`.
 */
import { defineProtocol, flushIpa, NT } from '../../port/index.ts';
import { inModel, whenReordered } from '../catches.ts';
import { hostOrdersIt } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const tablePublishedPlain = defineMutant({
  name: 'table-published-plain',
  what: 'a freshly filled table is linked by a plain store: a walker may see it unfilled',
  evidence: 'kernel pgtable.c, smp_store_release in kvm_pgtable_stage2_split (v6.5)',
  rule: 'freed-table',
  twin: 'nt-split',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'table-published-plain',
      kind: 'split',
      summary: 'nt-split that builds its table after the flush and links it by a plain store',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        cpu.write(t.entry, t.old | NT);
        flushIpa(cpu, t.ipa, t.level);
        const table = tables.buildSubtree(t.level, t.wanted);
        cpu.write(t.entry, tables.descriptorFor(table));
        flushIpa(cpu, t.ipa, t.level);
      },
    }),
  },
  caughtBy: [...whenReordered(['freed-table']), inModel(['freed-table'])],
  missedBy: hostOrdersIt(),
});
