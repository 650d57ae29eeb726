/**
 * Block to table as kvm_pgtable_stage2_split does (v6.5 and later): the whole subtree is built
 * while nobody can see it, then the block is broken and the table released. Nothing is faulted in
 * afterwards; the window is the flush alone.
 *
 * Hardware dirty state (here and in the other splits): the pages are made from the wanted block,
 * accessed and dirty. What the live block says may change until the break, and is not read.
 */
import { defineProtocol, flushIpa, LOCKED } from '../port/index.ts';

export default defineProtocol({
  name: 'split-eager',
  kind: 'split',
  summary: 'build the full subtree unlinked, LOCKED, flush IPA, store-release the table',
  origin: 'KVM v6.5 and later, kvm_pgtable_stage2_split',
  claims: {},
  run(cpu, t, tables) {
    const table = tables.buildSubtree(t.level, t.wanted);
    cpu.write(t.entry, LOCKED);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});
