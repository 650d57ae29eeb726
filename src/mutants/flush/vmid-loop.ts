/**
 * Wrong: a loop over VMIDs uses up the range with the first one, so this one gets the flush of stage 1
 * and none of stage 2.
 *
 * Evidence: TF-RMM commit 2052addb. Caught by: stale-translation or freed-table, on any engine.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const vmidLoop = defineMutant({
  name: 'vmid-loop',
  what: 'the loop over VMIDs uses up the range with the first, so the other one gets no IPAS2',
  evidence: 'TF-RMM commit 2052addb',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'vmid-loop',
      kind: 'coalesce',
      summary: 'bbm-early page by page for two VMIDs, the second of which finds no range left',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        const page = t.size / tables.entries;
        let { ipa, size } = t;
        for (const vmid of [{ vmid: 3 }, {}]) {
          for (; size > 0; size -= page, ipa += page) {
            cpu.tlbi({ kind: 'ipas2e1is', ipa, ...vmid });
          }
          cpu.dsb('ish');
          cpu.tlbi({ kind: 'vmalle1is', ...vmid });
          cpu.dsb('ish');
        }
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
