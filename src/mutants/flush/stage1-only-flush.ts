/**
 * Wrong: VMALLE1IS in place of VMALLS12E1IS. One takes the stage-1 (and combined) entries of the
 * VMID, the other both stages; stage-2-only entries and the walk cache survive.
 *
 * Evidence: DDI 0487 D8.17 (scope of VMALLE1), I_CKZGP. Caught by: stale-translation or freed-table,
 * on any engine that keeps stage-2-only entries apart.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const stage1OnlyFlush = defineMutant({
  name: 'stage1-only-flush',
  what: 'VMALLE1IS in place of VMALLS12E1IS: stage-2-only entries and the walk cache survive',
  evidence: 'DDI 0487 D8.17 (scope of VMALLE1), I_CKZGP',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'stage1-only-flush',
      kind: 'coalesce',
      summary: 'bbm-early with VMALLE1IS in place of VMALLS12E1IS',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'freed-table', 'wrong-output-address']),
    inModel(['stale-translation', 'freed-table']),
  ],
  missedBy: [],
});
