/**
 * Broken and made, but flushed only then. Break-before-make is not the invalid moment, it is the
 * flush while the entry is invalid (R_DDMVT: DSB, TLBI, DSB stand between steps 1 and 5): with the
 * flush behind the block the old pages meet it all the same, and the window was for nothing.
 */
import { childLevel, EMPTY, flushVmid } from '../../../../src/port/index.ts';
import {
  ABORTING,
  CHOOSING,
  coalesce,
  coalesceBroken,
  MIXING,
  SAFE,
  type SizeChangeCase,
  twoSizes,
} from '../size-change-case.ts';

export default {
  name: 'block-before-flush',
  weak: {
    protocol: coalesce('invalidate, block, flush VMID, tear down', (cpu, t, tables) => {
      cpu.write(t.entry, EMPTY);
      cpu.writeRelease(t.entry, t.wanted);
      flushVmid(cpu);
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
    }),
    expected: [
      ...twoSizes('abort', ABORTING),
      ...twoSizes('mix', MIXING),
      ...twoSizes('choose', CHOOSING),
    ],
  },
  synchronised: { protocol: coalesceBroken('flush VMID', flushVmid), expected: SAFE },
} satisfies SizeChangeCase;
