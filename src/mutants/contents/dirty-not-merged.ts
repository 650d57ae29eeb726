/**
 * Wrong: the block starts clean, as a new mapping might, whatever the 512 pages below it said. A page
 * that was dirty and not collected yet is forgotten, unless somebody stores to the block.
 *
 * Evidence: contpte_convert ORs access flag and dirty state of all entries before it repaints them
 * (kernel v6.9); the series that enables hardware dirty state for stage 2 (20210126124444) has to as
 * well. Caught by: lost-dirty, where a table becomes a block while its dirty state is still to be
 * collected: migration-complete does so between two passes and once more when the guest has stopped.
 */
import { childLevel, DBM, defineProtocol, flushVmid, S2AP_W, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const dirtyNotMerged = defineMutant({
  name: 'dirty-not-merged',
  what: 'the dirty state of the pages is not merged into the block',
  evidence: 'kernel contpte_convert (v6.9); HW-DBM series 20210126124444',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'dirty-not-merged',
      kind: 'coalesce',
      summary: 'bbm-early that installs the block clean',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        // Without hardware dirty state there is none to forget, and a clean block could not be stored to.
        const block = (t.wanted & DBM) === 0n ? t.wanted : t.wanted & ~S2AP_W;
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, block);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['lost-dirty'], { scenario: 'migration-complete', cpu: { hafdbs: true } }),
    inModel(['lost-dirty'], { cpu: { hafdbs: true } }),
  ],
  missedBy: [],
});
