/**
 * Break-before-make with the block installed before the old table is torn down (Yanan Wang, RFC v1
 * of 2021-02-08 3/4 and v2 of 2021-03-10 2/3, "Install the block entry before unmapping the page
 * mappings"). Dropped from v3 on; the idea landed in v6.2 as 5c359cca1faf. It also lost the data
 * cache clean, which is what its published 87 to 90 % really measured.
 *
 * Hardware access flag and dirty state (here and in every other protocol that breaks): the pages'
 * are merged into the block after the flush, when no PE can set any more of it. KVM v5.11 enables
 * VTCR_EL2.HA and not HD, and installs the block accessed and writable, which claims at least as much.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-early',
  kind: 'coalesce',
  summary: 'invalidate, flush VMID, store-release the block, tear down the old table',
  origin: 'RFC 20210208112250.163568 3/4 and 20210310094319.18760 2/3 (never merged)',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.old & ~VALID);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
