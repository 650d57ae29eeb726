/**
 * Wrong: no DSB after the TLBI. The invalidation has begun and nobody waits for it: other PEs go on
 * with their old entries while the block is installed and the old table freed.
 *
 * Evidence: R_DDMVT step 4, R_YNJCP (other PEs have finished only after the issuer's DSB). Caught
 * by: freed-table, or stale-translation, on any engine: a real race on real threads.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const noDsbAfterTlbi = defineMutant({
  name: 'no-dsb-after-tlbi',
  what: 'no DSB waits for the TLBI before the block is installed and the old table freed',
  evidence: 'R_DDMVT step 4, R_YNJCP',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-dsb-after-tlbi',
      kind: 'coalesce',
      summary: 'bbm-early without the DSB after its TLBI',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
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
