/**
 * Wrong: a range operation of scale 0 covers 64 granules at most, and what is left of the range is
 * dropped.
 *
 * Evidence: TF-RMM commit 2052addb (its range encoder). Caught by: freed-table or stale-translation,
 * where a table has more pages than that.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const rangeRemainder = defineMutant({
  name: 'range-remainder',
  what: 'one range TLBI of scale 0 is issued and the rest of the range dropped',
  evidence: 'TF-RMM commit 2052addb (range encoder)',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'range-remainder',
      kind: 'coalesce',
      summary: 'bbm-early by range with the first 64 pages alone',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        const most = (64 * t.size) / tables.entries;
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: Math.min(most, t.size) });
        cpu.dsb('ish');
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
    inModel(['break-before-make'], { by: 'operations' }),
  ],
  missedBy: [],
});
