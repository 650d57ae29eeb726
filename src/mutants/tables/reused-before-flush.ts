/**
 * Wrong: entries of the old table's page are put to a new use before the flush, on a path that
 * does not go through the allocator. Walkers still in it translate by entries that were never
 * meant for their addresses.
 *
 * Evidence: casemate's bad_reuse_page ("Wrote on a page with an unclean parent"). Caught by:
 * wrong-output-address, on any engine: nothing is poisoned, the entries are valid ones.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const reusedBeforeFlush = defineMutant({
  name: 'reused-before-flush',
  what: 'the page of the old table has new entries already while walkers may still be in it',
  evidence: 'casemate bad_reuse_page',
  rule: 'wrong-output-address',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'reused-before-flush',
      kind: 'coalesce',
      summary: 'bbm-early that fills half of the old table anew before its flush',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        for (let i = 0; i < tables.entries / 2; i++) {
          const other = tables.childLeaf(t.wanted, t.level, tables.entries - 1 - i);
          cpu.write(tables.entryOf(child, i), other);
        }
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['wrong-output-address']), inModel(['wrong-output-address'])],
  missedBy: [],
});
