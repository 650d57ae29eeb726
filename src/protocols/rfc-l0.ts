/**
 * The BBM level 0 branch of the TTRem RFC (Yanan Wang, 2021-01-26, patches 4/5 and 5/5) as posted:
 * the stale kvm_set_invalid_pte of the pre-order visit, then the helper's own, so the entry is
 * invalidated twice. Correct break-before-make with a duplicate store.
 */
import {
  childLevel,
  type Cpu,
  defineProtocol,
  flushVmid,
  type Tables,
  type Transition,
  VALID,
} from '../port/index.ts';

/** The steps, for the RFC's other branches to fall back on. */
export function coalesceAtLevel0(cpu: Cpu, t: Transition, tables: Tables): void {
  const child = tables.follow(t.old);
  cpu.write(t.entry, t.old & ~VALID);
  flushVmid(cpu);
  cpu.writeRelease(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));
  tables.tearDown(child, childLevel(t.level));
  cpu.dsb('ishst');
}

export default defineProtocol({
  name: 'rfc-l0',
  kind: 'coalesce',
  summary: 'invalidate twice, flush VMID, store-release the block, tear down the old table',
  origin: 'RFC "Enable CPU TTRem feature for stage-2", 2021-01-26, 4/5 and 5/5, level 0',
  claims: {},
  run(cpu, t, tables) {
    cpu.write(t.entry, t.old & ~VALID);
    coalesceAtLevel0(cpu, t, tables);
  },
});
