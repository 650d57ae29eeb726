/**
 * The DSB behind the TLBI is for stores only, and does not wait for it (R_PSMWS): other PEs may go on
 * with everything they have (R_YNJCP), and the table is torn down under their walks.
 */
import { flushVmid } from '../../../../src/port/index.ts';
import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'store-dsb',
  weak: {
    protocol: coalesceBroken('flush VMID, completed by DSB ISHST', (cpu) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalls12e1is' });
      cpu.dsb('ishst');
    }),
    expected: leftovers('R_PSMWS', { tables: true }),
  },
  synchronised: {
    protocol: coalesceBroken('flush VMID', flushVmid),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
