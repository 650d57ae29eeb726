/**
 * A hole is filled as a faulting vCPU does it beside others (v6.2 on): whoever puts LOCKED into the
 * empty entry by compare-exchange owns it (stage2_try_break_pte), and the block is released into it.
 * What another one has LOCKED is left to that one, and the vCPU comes back (-EAGAIN). Nothing is
 * flushed: an entry that does not translate is in no TLB (I_WZCBG).
 */
import { defineProtocol, EMPTY, LOCKED } from '../port/index.ts';

export default defineProtocol({
  name: 'map-hole',
  kind: 'map',
  summary: 'cmpxchg LOCKED over an empty entry, clean cache, store-release the block',
  origin: 'KVM v6.2 and later, stage2_map_walk_leaf',
  claims: {},
  lock: 'shared',
  run(cpu, t, tables) {
    if (t.old !== EMPTY) return;
    if (cpu.compareExchange(t.entry, EMPTY, LOCKED) !== EMPTY) return;
    tables.cleanDcache(t.pa, t.size);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});
