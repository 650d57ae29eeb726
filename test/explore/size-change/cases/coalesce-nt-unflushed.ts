/**
 * The block goes in with nT set, and nT is cleared before anything is flushed. What nT is for has
 * not happened: pages of the old table are still in TLBs when the block can be cached beside them
 * (R_PVTFW needs the flush between the two stores). So it is no better than `coalesce-direct`.
 *
 * The twin flushes while nT is set, as the SMMU specification has it (IHI0070H.a 3.21.1). That is
 * enough on a PE that keeps an nT block out of its TLBs, and on one that faults on it (R_MRRPW); a PE
 * that may raise a conflict abort for it, or ignores nT, conflicts until the flush is complete. At
 * level 0 there is no nT bit, so both are direct replacement.
 */
import { childLevel, flushVmid, NT } from '../../../../src/port/index.ts';
import {
  ABORTING,
  CHOOSING,
  coalesce,
  type Expected,
  MIXING,
  type SizeChangeCase,
  twoSizes,
} from '../size-change-case.ts';

/** Conflict in spite of nT: the operations are in order, the PE is not up to them (R_MRRPW). */
const IN_SPITE: Expected = {
  on: ['bbm=1 conflict', 'bbm=1 ignored'],
  shown: ['tlb-conflict'],
  breakBeforeMake: 'kept',
  forbidden: ['around: conflict'],
  because: 'R_MRRPW',
};

export default {
  name: 'coalesce-nt-unflushed',
  weak: {
    protocol: coalesce('block|nT, block, flush VMID, tear down', (cpu, t, tables) => {
      cpu.writeRelease(t.entry, t.wanted | NT);
      cpu.write(t.entry, t.wanted);
      flushVmid(cpu);
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
    }),
    expected: [
      ...twoSizes('abort', ABORTING),
      ...twoSizes('mix', MIXING),
      ...twoSizes('choose', CHOOSING),
    ],
  },
  synchronised: {
    protocol: coalesce('block|nT, flush VMID, block, flush VMID, tear down', (cpu, t, tables) => {
      cpu.writeRelease(t.entry, t.wanted | NT);
      flushVmid(cpu);
      cpu.write(t.entry, t.wanted);
      flushVmid(cpu);
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
    }),
    expected: [
      IN_SPITE,
      ...twoSizes('abort', ['bbm=0 abort']),
      ...twoSizes('mix', MIXING),
      ...twoSizes('choose', ['bbm=0 old', 'bbm=0 new']),
      {
        on: [
          'bbm=1 translate',
          'bbm=1 fault',
          'bbm=2 abort',
          'bbm=2 old',
          'bbm=2 new',
          'bbm=3 old',
          'bbm=3 new',
        ],
        shown: [],
        breakBeforeMake: 'kept',
        forbidden: [],
      },
    ],
  },
} satisfies SizeChangeCase;
