/**
 * Wrong: the range TLBI carries the level of the *table* entry as its TTL hint. A hint names the
 * level of the leaf, so neither the pages below the table nor the walk-cache entry of the table
 * itself need go, and walks go on through the freed table.
 *
 * Evidence: kernel commit 36e008323926 (v6.9); R_SQXYZ, I_LTZBK. Caught by: freed-table or
 * stale-translation, on any engine.
 */
import { childLevel, defineProtocol, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const tableTtlHint = defineMutant({
  name: 'table-ttl-hint',
  what: 'a table is zapped with its own level as the TTL hint, which names the level of leaves',
  evidence: 'kernel commit 36e008323926 (v6.9); R_SQXYZ, I_LTZBK',
  rule: 'freed-table',
  twin: 'bbm-early-range',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'table-ttl-hint',
      kind: 'coalesce',
      summary: "bbm-early-range with the table's level as TTL hint",
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size, ttl: t.level });
        cpu.dsb('ish');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
        cpu.isb();
        tables.put(t.entry);
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDownAfterGrace(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table', 'stale-translation', 'wrong-output-address']),
    inModel(['freed-table', 'stale-translation']),
  ],
  missedBy: [],
});
