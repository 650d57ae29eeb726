/**
 * The flush reaches the own PE only. What runs the guest is another one, and keeps all it has (D8.17.6:
 * the Inner Shareable forms are the ones that are broadcast; R_DDMVT asks for them).
 */
import { flushVmid } from '../../../../src/port/index.ts';
import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'local-flush',
  weak: {
    protocol: coalesceBroken('flush VMID here', (cpu) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalls12e1' });
      cpu.dsb('ish');
    }),
    expected: leftovers('is local to the issuing PE', { tables: true }),
  },
  synchronised: {
    protocol: coalesceBroken('flush VMID', flushVmid),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
