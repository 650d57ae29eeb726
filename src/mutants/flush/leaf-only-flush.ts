/**
 * Wrong: the table is zapped page by page with IPAS2LE1IS, which reaches last-level entries only.
 * All translations go; the walk-cache entry of the table stays, and walks go on through the freed
 * page.
 *
 * Evidence: DDI 0487 D8.17 (IPAS2LE1: final level only), R_RVJDB (a walk cache is a TLB entry).
 * Caught by: freed-table, on any engine with a walk cache.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const leafOnlyFlush = defineMutant({
  name: 'leaf-only-flush',
  what: 'a table is zapped with last-level TLBIs, which leave it in walk caches',
  evidence: 'DDI 0487 D8.17 (IPAS2LE1), R_RVJDB',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'leaf-only-flush',
      kind: 'coalesce',
      summary: 'bbm-early with IPAS2LE1IS for every entry of the table',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        const bytes = t.size / tables.entries;
        for (let i = 0; i < tables.entries; i++) {
          cpu.tlbi({ kind: 'ipas2le1is', ipa: t.ipa + i * bytes });
        }
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
  caughtBy: [...onThreads(['freed-table', 'wrong-output-address']), inModel(['freed-table'])],
  missedBy: [],
});
