/**
 * A table replaced by a block in one store, then flushed: what FEAT_BBM level 2 is for.
 *
 * Until the flush is complete a TLB may hold a page of the old table and the new block at once. A PE
 * of level 2 or 3 keeps coherency and uses one of the two, but one of level 2 may raise a TLB
 * conflict abort instead (R_KFLJB, I_HYQMB), and nothing here handles it. Below level 2 the change
 * needs break-before-make (R_WHZWS): a conflict abort, either entry, or at level 0 a mixture of the
 * two (R_FVQCK). After the flush all is well everywhere: no outcome of the late load is forbidden.
 *
 * The twin breaks first, and never has two sizes side by side.
 */
import { childLevel, flushVmid } from '../../../../src/port/index.ts';
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
  name: 'coalesce-direct',
  weak: {
    protocol: coalesce('block over the table, flush VMID, tear down', (cpu, t, tables) => {
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
