/**
 * Wrong: no break at all. The block goes straight over the table, on a CPU of BBM level 1 and
 * without nT: until the flush is complete a TLB may hold page entries and the block entry for one
 * IPA.
 *
 * Evidence: R_WHZWS and R_KFLJB (a size change needs break-before-make, nT, or BBM level 2);
 * casemate's bad_no_bbm. Caught by: tlb-conflict, on any engine; break-before-make from the
 * operations alone.
 */
import { childLevel, defineProtocol, flushVmid } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const noBreak = defineMutant({
  name: 'no-break',
  what: 'the block is written straight over the table on a CPU that needs break-before-make',
  evidence: 'R_WHZWS, R_KFLJB; casemate bad_no_bbm',
  rule: 'tlb-conflict',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-break',
      kind: 'coalesce',
      summary: 'bbm-early without its invalidation',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.writeRelease(t.entry, t.wanted);
        flushVmid(cpu);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['tlb-conflict']), inModel(['tlb-conflict'])],
  missedBy: [],
});
