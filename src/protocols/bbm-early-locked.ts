/**
 * Break-before-make of the parallel fault series (v6.2 to v6.5): stage2_try_break_pte puts LOCKED
 * into the entry by compare-exchange, so that a vCPU which faults meanwhile gets -EAGAIN and comes
 * back; stage2_make_pte releases the block; the unlinked subtree is freed after an RCU grace period
 * (5c359cca1faf, c3119ae45dfb). The lock is held for reading, so faults per window are no longer
 * bounded by one per vCPU.
 */
import { childLevel, defineProtocol, flushVmid, LOCKED } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-early-locked',
  kind: 'coalesce',
  summary:
    'cmpxchg LOCKED, flush VMID, clean cache, store-release the block, free after a grace period',
  origin: 'KVM v6.2 to v6.5, stage2_map_walk_table_pre (5c359cca1faf)',
  claims: {},
  lock: 'shared',
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
    flushVmid(cpu);
    const block = tables.mergeState(t.wanted, child, childLevel(t.level));
    tables.put(t.entry);
    tables.cleanDcache(t.pa, t.size);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, block);
    tables.tearDownAfterGrace(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
