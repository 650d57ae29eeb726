/**
 * Break-before-make with the block installed last, as kvm_pgtable_stage2_map did from v5.10 to
 * v5.13: the pre-order visit clears the valid bit and flushes the VMID, the walk then descends into
 * the detached table and frees it, and the post-order visit of the anchor installs the block. The
 * entry is invalid for the TLBI *and* the whole teardown: for a 1 GiB entry that is up to 512
 * tables of 512 leaf visits.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-late',
  kind: 'coalesce',
  summary: 'invalidate, flush VMID, tear down the old table, store-release the block',
  origin: 'KVM v5.10 to v5.13, kvm_pgtable_stage2_map',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.old & ~VALID);
    flushVmid(cpu);
    const block = tables.mergeState(t.wanted, child, childLevel(t.level));
    tables.tearDown(child, childLevel(t.level));
    tables.put(t.entry);
    cpu.writeRelease(t.entry, block);
    tables.get(t.entry);
    cpu.dsb('ishst');
  },
});
