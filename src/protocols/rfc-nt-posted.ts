/**
 * The TTRem RFC of 2021-01-26 exactly as posted. Patch 5/5 leaves one line of the old code in
 * place: the hunk's first context line is the pre-order visit's kvm_set_invalid_pte, so the table
 * entry is invalid before the nT block is written. The gap is two stores wide, and the cover
 * letter's "there will not be a moment" is false for as long.
 *
 * Both block stores are plain (WRITE_ONCE). A BBM level the RFC's switch does not know returns
 * -EINVAL, after the entry was invalidated: the block is never written and the old table leaks.
 */
import { childLevel, defineProtocol, flushVmid, NT, VALID } from '../port/index.ts';
import { coalesceAtLevel0 } from './rfc-l0.ts';

export default defineProtocol({
  name: 'rfc-nt-posted',
  kind: 'coalesce',
  summary: 'invalidate (stale line), block|nT, flush VMID, block, tear down',
  origin: 'RFC "Enable CPU TTRem feature for stage-2", 2021-01-26, 5/5 as posted',
  claims: { neverInvalid: true },
  exhibit: 'patch 5/5 kept a stale kvm_set_invalid_pte, so its promise is broken as posted',
  run(cpu, t, tables) {
    cpu.write(t.entry, t.old & ~VALID);
    if (t.bbm === 0) return coalesceAtLevel0(cpu, t, tables);
    if (t.bbm === 3) return;
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.wanted | NT);
    flushVmid(cpu);
    cpu.write(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
