/**
 * KVM's gather of stage-2 entries (kvm_s2_gather, in preparation) with its rule for the hint: the level is
 * not known any more once levels differ or one entry was a table. Here one entry is gathered: that of a
 * table, say, and all it maps.
 *
 *   npm run explore -- --protocol ./examples/field/kvm-gather.ts     safe
 */
import { childLevel, defineProtocol, EMPTY, flushGathered, gathered } from 'stage2-stress/protocol';
import { isTable, NOTHING_GATHERED } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'kvm-gather',
  kind: 'unmap',
  summary: 'clear the entry, one flush; no hint once there was a table, free the tables',
  origin: 'KVM, kvm_s2_gather as of 2026, not posted',
  claims: {},
  run(cpu, t, tables) {
    const what = isTable(t.old, t.level) ? 'table' : 'leaf';
    cpu.write(t.entry, EMPTY);
    tables.put(t.entry);
    flushGathered(cpu, gathered(NOTHING_GATHERED, t.ipa, t.size, t.level, what), 'range');
    if (isTable(t.old, t.level)) tables.tearDown(tables.follow(t.old), childLevel(t.level));
  },
});
