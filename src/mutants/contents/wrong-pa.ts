/**
 * Wrong: output addresses are counted up beside the walk instead of being computed from its IPA. One
 * entry is skipped without counting (-EAGAIN), and every entry after it maps its neighbour's page.
 *
 * Evidence: kernel commit 1f0f4a2ef7a5 (v6.4). Caught by: wrong-output-address, on any engine; on
 * threads the data the guest reads is another page's too.
 */
import { defineProtocol, flushIpa, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const wrongPa = defineMutant({
  name: 'wrong-pa',
  what: 'output addresses are counted, not computed from the IPA, and one entry was skipped',
  evidence: 'kernel commit 1f0f4a2ef7a5 (v6.4)',
  rule: 'wrong-output-address',
  twin: 'split-eager',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'wrong-pa',
      kind: 'split',
      summary: 'split-eager whose addresses lag one entry behind',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.buildSubtree(t.level, t.wanted);
        for (let i = 1; i < tables.entries; i++) {
          const behind = tables.childLeaf(t.wanted, t.level, i - 1);
          cpu.write(tables.entryOf(table, i), behind);
        }
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        tables.put(t.entry);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['wrong-output-address']), inModel(['wrong-output-address'])],
  missedBy: [],
});
