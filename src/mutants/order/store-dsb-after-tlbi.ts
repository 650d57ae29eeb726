/**
 * Wrong: DSB ISHST after the TLBI, as before it. Completion of a TLBI needs a DSB that covers loads
 * and stores.
 *
 * Evidence: R_PSMWS. Kernel commit 7e1b2329c205 (v6.4) had to strengthen DSB ISHST to DSB ISH in
 * the same function, for walks under way. Caught by: freed-table, or stale-translation, on any
 * engine.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const storeDsbAfterTlbi = defineMutant({
  name: 'store-dsb-after-tlbi',
  what: 'the DSB after the TLBI covers stores only, which does not complete it',
  evidence: 'R_PSMWS',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'store-dsb-after-tlbi',
      kind: 'coalesce',
      summary: 'bbm-early with DSB ISHST after its TLBI',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ishst');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table', 'stale-translation']),
    inModel(['freed-table', 'stale-translation']),
  ],
  missedBy: [],
});
