/**
 * Wrong: the flush comes first and the entry is invalidated after it. What walkers fetch between the
 * two nobody removes.
 *
 * Evidence: R_DDMVT (step 1 before step 3); casemate's bad_* traces of this shape. Caught by:
 * stale-translation, on any engine.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const tlbiBeforeStore = defineMutant({
  name: 'tlbi-before-store',
  what: 'the flush comes before the store that invalidates the entry',
  evidence: 'R_DDMVT, order of steps 1 and 3; casemate',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'tlbi-before-store',
      kind: 'coalesce',
      summary: 'bbm-early with its flush before its invalidation',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        flushVmid(cpu);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ish');
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
