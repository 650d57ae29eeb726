/**
 * The old table is freed as soon as the TLBI is issued, before the DSB that completes it. A walk that
 * has read the table's address is a TLB entry like any other (R_RVJDB), and the TLBI has not ended
 * it: it reads whatever the page's next user has put there. The block itself comes after the DSB, so
 * nothing else is wrong, on any CPU.
 *
 * The twin frees behind the DSB: TLBI completion waits for walks that use what it removes (R_LXHLD).
 */
import { childLevel, EMPTY, flushVmid } from '../../../../src/port/index.ts';
import {
  coalesce,
  coalesceBroken,
  EVERY_CPU,
  SAFE,
  type SizeChangeCase,
} from '../size-change-case.ts';

export default {
  name: 'freed-before-dsb',
  weak: {
    protocol: coalesce('invalidate, TLBI, tear down, DSB, block', (cpu, t, tables) => {
      cpu.write(t.entry, EMPTY);
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalls12e1is' });
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
      cpu.dsb('ish');
      cpu.writeRelease(t.entry, t.wanted);
      cpu.dsb('ishst');
    }),
    expected: [
      {
        on: EVERY_CPU,
        shown: ['freed-table'],
        breakBeforeMake: 'kept',
        forbidden: ['around: freed table'],
        because: 'R_RVJDB',
      },
    ],
  },
  synchronised: { protocol: coalesceBroken('flush VMID', flushVmid), expected: SAFE },
} satisfies SizeChangeCase;
