/**
 * Wrong: the flush is local (VMALLS12E1, Non-shareable), where every PE that runs the VM has to
 * drop its entries.
 *
 * Evidence: review of Colton Lewis' series of 2023-06, 3/3: a restriction must be global. Caught
 * by: stale-translation, on any engine.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const localTlbi = defineMutant({
  name: 'local-tlbi',
  what: 'a local TLBI where a broadcast one is needed: other vCPUs keep their entries',
  evidence: 'review of Colton Lewis, RFC 2023-06, 3/3 (Marc Zyngier)',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'local-tlbi',
      kind: 'coalesce',
      summary: 'bbm-early with VMALLS12E1 in place of VMALLS12E1IS',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1' });
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
