/**
 * Today's KVM (v6.6 to 7.x): as `bbm-early-locked`, but the flush is one range operation over the
 * granule instead of the whole VMID (kvm_tlb_flush_vmid_range), so translations of the VM's other
 * memory survive.
 */
import { childLevel, defineProtocol, flushRange, LOCKED } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-early-range',
  kind: 'coalesce',
  summary:
    'cmpxchg LOCKED, flush the range, clean cache, store-release the block, free after a grace period',
  origin: 'KVM v6.6 and later, stage2_try_break_pte with kvm_tlb_flush_vmid_range',
  claims: {},
  lock: 'shared',
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
    flushRange(cpu, t.ipa, t.size);
    const block = tables.mergeState(t.wanted, child, childLevel(t.level));
    tables.put(t.entry);
    tables.cleanDcache(t.pa, t.size);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, block);
    tables.tearDownAfterGrace(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
