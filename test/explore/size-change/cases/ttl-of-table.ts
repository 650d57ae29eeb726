/**
 * The hint is the level of the table entry that changed. TTL names the level of the *leaf* that the
 * entries to be removed come from (I_LTZBK); those are pages, of level 3, and with a wrong hint nothing
 * need be removed (R_SQXYZ). KVM had this bug (36e008323926). The old table stays in walk caches, too.
 *
 * The twin gives the level of the pages: that reaches them, and the table entries above them.
 */

import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'ttl-of-table',
  weak: {
    protocol: coalesceBroken('range with the level of the table as its hint', (cpu, t) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size, ttl: t.level });
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    }),
    expected: leftovers('R_SQXYZ', { tables: true }),
  },
  synchronised: {
    protocol: coalesceBroken('range with the level of the pages as its hint', (cpu, t) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size, ttl: 3 });
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    }),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
