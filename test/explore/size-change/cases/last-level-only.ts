/**
 * Every page flushed, by operations for the last level. IPAS2LE1IS leaves the old table in walk caches
 * (R_RVJDB: they are TLB entries, too): a walk that starts there after the TLBI finds the old pages for
 * as long as they stand in memory, and then whatever the freed page is used for.
 *
 * The twin flushes page by page as well, over all levels.
 */

import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'last-level-only',
  weak: {
    protocol: coalesceBroken('leaves alone, page by page', (cpu, t, { entries }) => {
      cpu.dsb('ishst');
      for (let ipa = t.ipa; ipa < t.ipa + t.size; ipa += t.size / entries) {
        cpu.tlbi({ kind: 'ipas2le1is', ipa });
      }
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    }),
    expected: leftovers('walk caches', { tables: true }),
  },
  synchronised: {
    protocol: coalesceBroken('all levels, page by page', (cpu, t, { entries }) => {
      cpu.dsb('ishst');
      for (let ipa = t.ipa; ipa < t.ipa + t.size; ipa += t.size / entries) {
        cpu.tlbi({ kind: 'ipas2e1is', ipa });
      }
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    }),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
