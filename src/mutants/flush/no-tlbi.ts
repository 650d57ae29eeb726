/**
 * Wrong: `bbm-early` without any TLBI. The entry is invalidated and replaced, and every vCPU that
 * had walked the old table keeps its page translations.
 *
 * Evidence: R_DDMVT step 3; casemate's bad_bbm_missing_tlbi. Caught by: stale-translation (and
 * break-before-make, from the operations alone).
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const noTlbi = defineMutant({
  name: 'no-tlbi',
  what: 'the table entry is invalidated and replaced without any TLBI',
  evidence: 'R_DDMVT step 3; casemate bad_bbm_missing_tlbi',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-tlbi',
      kind: 'coalesce',
      summary: 'bbm-early without its TLBI',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
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
    inModel(['stale-translation']),
  ],
  missedBy: [],
});
