/**
 * The TTRem RFC as its cover letter describes it: the stale invalidation of patch 5/5 removed (as
 * the author's own next series did), and an unknown level treated as one it knows, before the entry
 * is touched. The entry goes from the table to the block with nT set, and from there to the block.
 *
 * With hardware dirty state nothing can be merged (here and in every other protocol that does not
 * break): until the flush is complete a PE may set it in a page or in the block, or lose it
 * (I_GXGZY, R_RTBRL). The block is installed accessed and dirty, to which nothing can be added.
 */
import { childLevel, defineProtocol, flushVmid, NT } from '../port/index.ts';
import { coalesceAtLevel0 } from './rfc-l0.ts';

export default defineProtocol({
  name: 'rfc-nt-intended',
  kind: 'coalesce',
  summary: 'block|nT, flush VMID, block, tear down',
  origin: 'RFC "Enable CPU TTRem feature for stage-2", 2021-01-26, without the stale line of 5/5',
  claims: { neverInvalid: true },
  run(cpu, t, tables) {
    if (t.bbm === 0) return coalesceAtLevel0(cpu, t, tables);
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.wanted | NT);
    flushVmid(cpu);
    cpu.write(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
