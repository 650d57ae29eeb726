/**
 * Break-before-make as KVM did it from v5.14 (6204004de316 and the CMO moves of that series) to
 * v6.1: the entry is zeroed with the child pointer saved first, everything below the top child page
 * is freed during the walk, and the post-order visit cleans the data cache and installs the block
 * before it frees that page. The cache clean (0.13 s for 1 GiB on a Kunpeng 920 without FWB) lies
 * inside the invalid window.
 */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-late-cmo',
  kind: 'coalesce',
  summary:
    'clear, flush VMID, tear down all but the top page, clean cache, store-release the block, free it',
  origin: 'KVM v5.14 to v6.1, stage2_map_walk_table_post',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    const block = tables.mergeState(t.wanted, child, childLevel(t.level));
    tables.tearDownBelow(child, childLevel(t.level));
    tables.cleanDcache(t.pa, t.size);
    cpu.writeRelease(t.entry, block);
    tables.get(t.entry);
    tables.freeNow(child);
    tables.put(t.entry);
    cpu.dsb('ishst');
  },
});
