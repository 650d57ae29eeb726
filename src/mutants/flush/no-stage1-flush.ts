/**
 * Wrong: the range flush of today's KVM without its second half. IPAS2 operations need not touch
 * combined entries, which only VMALLE1IS takes, even while the guest runs with stage 1 off.
 *
 * Evidence: R_VZZVZ, R_TVTYQ, I_CKZGP, I_RGYNM. Caught by: stale-translation or tlb-conflict, on any
 * engine that keeps combined entries apart.
 */
import { childLevel, defineProtocol, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const noStage1Flush = defineMutant({
  name: 'no-stage1-flush',
  what: 'IPAS2 without the VMALLE1IS after it: combined entries survive',
  evidence: 'R_VZZVZ, R_TVTYQ, I_CKZGP, I_RGYNM',
  rule: 'stale-translation',
  twin: 'bbm-early-range',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-stage1-flush',
      kind: 'coalesce',
      summary: 'bbm-early-range without VMALLE1IS',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
        cpu.dsb('ish');
        cpu.isb();
        tables.put(t.entry);
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDownAfterGrace(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'tlb-conflict']),
    inModel(['stale-translation', 'tlb-conflict']),
  ],
  missedBy: [],
});
