/**
 * Wrong: nT is cleared before the flush. The bit has to stand until no TLB holds a page entry any
 * more; without it the block may be cached beside them.
 *
 * Evidence: SMMU IHI0070H.a 3.21.1.2 (order of the merge sequence), I_XPRKH. Caught by:
 * tlb-conflict, on any engine.
 */
import { childLevel, defineProtocol, flushVmid, NT } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const ntClearedEarly = defineMutant({
  name: 'nt-cleared-early',
  what: 'nT is cleared before the old page entries are flushed',
  evidence: 'SMMU IHI0070H.a 3.21.1.2 (merge sequence), I_XPRKH',
  rule: 'tlb-conflict',
  twin: 'rfc-nt-intended',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'nt-cleared-early',
      kind: 'coalesce',
      summary: 'rfc-nt-intended that clears nT before its flush',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.wanted | NT);
        cpu.write(t.entry, t.wanted);
        flushVmid(cpu);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['tlb-conflict']), inModel(['tlb-conflict'])],
  missedBy: [],
});
