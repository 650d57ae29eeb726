/**
 * Direct replacement where the hardware never aborts (ID_AA64MMFR2_EL1.BBM = 0b0011, or the
 * allow-list of arm64's BBML2_NOABORT, renamed BBML3 in 2026: 06468bc3c936). Either translation is
 * used until the flush completes; both lead to the same memory. Host stage 1 does this today, stage
 * 2 does not.
 * Hardware dirty state: as `rfc-nt-intended`, the block claims all of it from the start.
 */
import { childLevel, defineProtocol, flushVmid } from '../port/index.ts';

export default defineProtocol({
  name: 'bbml3-direct',
  kind: 'coalesce',
  summary: 'cmpxchg the block over the table, flush VMID, tear down; no conflict aborts exist',
  origin: 'arm64 stage 1, ARM64_HAS_BBML2_NOABORT / BBML3 (3eb06f6ce3af, 06468bc3c936)',
  claims: { neverInvalid: true },
  cpu: { bbm: [3], multihit: 'new' },
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    if (cpu.compareExchange(t.entry, t.old, t.wanted) !== t.old) return;
    flushVmid(cpu);
    tables.tearDown(child, childLevel(t.level));
  },
});
