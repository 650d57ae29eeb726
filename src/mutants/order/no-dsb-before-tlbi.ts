/**
 * Wrong: no DSB between the store that breaks the entry and the TLBI. The store may become visible
 * after the TLBI is done, and a walker in between refills its TLB from the old entry.
 *
 * Evidence: R_DDMVT step 2, R_TGVWD; casemate's LIS_unguarded. Caught by: stale-translation in
 * `stress` with --reorder and in every execution model; x86 and JavaScript keep the order.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, whenReordered } from '../catches.ts';
import { hostOrdersIt } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const noDsbBeforeTlbi = defineMutant({
  name: 'no-dsb-before-tlbi',
  what: 'no DSB orders the store that breaks the entry before the TLBI',
  evidence: 'R_DDMVT step 2, R_TGVWD; casemate LIS_unguarded',
  rule: 'stale-translation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-dsb-before-tlbi',
      kind: 'coalesce',
      summary: 'bbm-early without the DSB before its TLBI',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...whenReordered(['stale-translation', 'freed-table', 'wrong-output-address']),
    inModel(['stale-translation']),
  ],
  missedBy: hostOrdersIt(),
});
