/**
 * Wrong: the block goes over the table, the old table is freed, and only then comes the flush. Walk
 * caches and walks under way still lead into the page.
 *
 * Evidence: the BBM level 2 branch of merge_page in the SMMU series of 2021 writes the block and
 * frees the old table, flushing at the very end; its level 1 branch does it in the right order.
 * Caught by: freed-table, on any engine.
 */
import { childLevel, defineProtocol, flushVmid } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const freedBeforeFlush = defineMutant({
  name: 'freed-before-flush',
  what: 'the old table is freed right after the direct replacement, the flush comes last',
  evidence: 'SMMU merge_page patch of 2021, BBM level 2 branch; R_RVJDB',
  rule: 'freed-table',
  twin: 'bbml2-direct',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'freed-before-flush',
      kind: 'coalesce',
      summary: 'bbml2-direct with its teardown before its flush',
      origin: 'seeded bug',
      claims: { neverInvalid: true, handlesConflict: true },
      cpu: { bbm: [2] },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, t.wanted) !== t.old) return;
        tables.tearDown(child, childLevel(t.level));
        flushVmid(cpu);
      },
    }),
  },
  caughtBy: [...onThreads(['freed-table']), inModel(['freed-table'])],
  missedBy: [],
});
