/**
 * Combined entries flushed and no others: VMALLE1IS does not cover stage-2-only entries, nor what walks
 * keep of stage-2 tables (D8.17.6). Old pages stay, and so does the old table, which leads walks into
 * the freed page.
 *
 * VMALLS12E1IS in the twin covers all three.
 */
import { flushVmid } from '../../../../src/port/index.ts';
import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'vmalle1-alone',
  weak: {
    protocol: coalesceBroken('combined entries', (cpu) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    }),
    expected: leftovers('does not reach stage-2 entries', { tables: true }),
  },
  synchronised: {
    protocol: coalesceBroken('flush VMID', flushVmid),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
