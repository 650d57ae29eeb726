/**
 * KVM's gather of stage-2 entries (kvm_s2_gather, in preparation) without the clause on tables in its rule
 * for the hint: a table counts as a leaf of the level of its entry. Here one entry is gathered: that of a
 * table, say, and all it maps. The verdict is violated: stale-translation, freed-table
 *
 *   npm run explore -- --protocol ./examples/field/kvm-gather-no-clause.ts
 */
import { childLevel, defineProtocol, EMPTY, flushGathered, gathered } from 'stage2-stress/protocol';
import { isTable, NOTHING_GATHERED } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'kvm-gather-no-clause',
  kind: 'unmap',
  summary:
    'clear the entry, one flush, hinted with the level of the entry, be it a table, free the tables',
  origin: 'KVM, kvm_s2_gather as of 2026, not posted',
  claims: {},
  run(cpu, t, tables) {
    const what = 'leaf';
    cpu.write(t.entry, EMPTY);
    tables.put(t.entry);
    flushGathered(cpu, gathered(NOTHING_GATHERED, t.ipa, t.size, t.level, what), 'range');
    if (isTable(t.old, t.level)) tables.tearDown(tables.follow(t.old), childLevel(t.level));
  },
});
