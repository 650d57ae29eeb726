/**
 * Map beside other vCPUs: only an entry that is empty is anybody's.
 *
 *   npm run explore -- --protocol ./examples/kinds/map.ts
 */
import { defineProtocol, EMPTY } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'my-map',
  kind: 'map',
  summary: 'cmpxchg the block over an empty entry',
  origin: 'an example',
  claims: {},
  lock: 'shared',
  run(cpu, t, tables) {
    if (cpu.compareExchange(t.entry, EMPTY, t.wanted) !== EMPTY) return;
    tables.get(t.entry);
    cpu.dsb('ishst');
  },
});
