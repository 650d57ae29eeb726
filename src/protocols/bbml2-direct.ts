/**
 * Direct replacement at BBM level 2 (after Colton Lewis, RFC of 2023-06, unmerged): the block goes
 * over the table by compare-exchange. Until the flush completes a TLB may hold both sizes and raise
 * a conflict abort; the handler must then use VMALLS12E1, because a TLBI by IPA need not remove
 * duplicates (R_BLRKC, R_GRVDR).
 * Hardware dirty state: as `rfc-nt-intended`, the block claims all of it from the start.
 */
import { childLevel, defineProtocol, flushVmid } from '../port/index.ts';

export default defineProtocol({
  name: 'bbml2-direct',
  kind: 'coalesce',
  summary: 'cmpxchg the block over the table, flush VMID, tear down',
  origin: 'Colton Lewis, RFC 2023-06 "Relax break-before-make use with FEAT_BBM" (unmerged)',
  claims: { neverInvalid: true, handlesConflict: true },
  cpu: { bbm: [2] },
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    if (cpu.compareExchange(t.entry, t.old, t.wanted) !== t.old) return;
    flushVmid(cpu);
    tables.tearDown(child, childLevel(t.level));
  },
});
