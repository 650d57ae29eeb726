/**
 * A CPU of one's own: a big.LITTLE system whose little cores know no FEAT_BBM. The protocol asks for
 * the sanitised level (the minimum) and must fall back to break-before-make.
 *
 *   npm run explore -- --protocol ./examples/03-own-cpu.ts
 *   npm run explore -- --protocol ./examples/03-own-cpu.ts --cpu bbm=2
 */
import { childLevel, defineProtocol, EMPTY, flushVmid, NT } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'nt-where-it-helps',
  kind: 'coalesce',
  summary: 'nT block, flush, block where every PE has FEAT_BBM; break-before-make elsewhere',
  origin: 'an example',
  claims: {},
  cpu: { bbm: [2, 0] },
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    const first = t.bbm >= 1 ? t.wanted | NT : EMPTY;
    cpu.writeRelease(t.entry, first);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    flushVmid(cpu);
  },
});
