/**
 * The merge sequence the SMMU specification gives for BBM level 1 (IHI0070H.a 3.21.1.2, as
 * paraphrased by a third party): nT block, invalidate and synchronise, clear nT, invalidate and
 * synchronise again. The second flush removes what a walker may keep about the nT state (R_GPPYH;
 * I_DXRJK says translations can be slow until then).
 * Hardware dirty state: as `rfc-nt-intended`, the block claims all of it from the start.
 */
import { childLevel, defineProtocol, flushVmid, NT } from '../port/index.ts';

export default defineProtocol({
  name: 'nt-spec',
  kind: 'coalesce',
  summary: 'store-release block|nT, flush VMID, block, flush VMID again, tear down',
  origin: 'SMMU IHI0070H.a 3.21.1.2 (merge at BBM level 1)',
  claims: { neverInvalid: true },
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.writeRelease(t.entry, t.wanted | NT);
    flushVmid(cpu);
    cpu.write(t.entry, t.wanted);
    flushVmid(cpu);
    tables.tearDown(child, childLevel(t.level));
  },
});
