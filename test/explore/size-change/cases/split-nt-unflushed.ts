/**
 * nT is set on the live block and the table stored at once. The block that was cached before nT was
 * set is still in TLBs when pages of the table can be fetched beside it: nT keeps a block out of
 * TLBs, it does not take one out (R_PVTFW, I_HYQMB).
 *
 * The twin flushes in between. Then no TLB holds the block, and none takes it in again, so that even
 * a PE that may conflict on an nT block has nothing to conflict with; only one that ignores nT does.
 * At level 0 there is no nT bit, so both are direct replacement.
 */
import { flushIpa, NT } from '../../../../src/port/index.ts';
import {
  ABORTING,
  CHOOSING,
  MIXING,
  type SizeChangeCase,
  split,
  twoSizes,
} from '../size-change-case.ts';

export default {
  name: 'split-nt-unflushed',
  weak: {
    protocol: split('nT on the block, full table, flush IPA', (cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
      cpu.write(t.entry, t.old | NT);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      flushIpa(cpu, t.ipa, t.level);
    }),
    expected: [
      ...twoSizes('abort', ABORTING),
      ...twoSizes('mix', MIXING),
      ...twoSizes('choose', CHOOSING),
    ],
  },
  synchronised: {
    protocol: split('nT on the block, flush IPA, full table, flush IPA', (cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
      cpu.write(t.entry, t.old | NT);
      flushIpa(cpu, t.ipa, t.level);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      flushIpa(cpu, t.ipa, t.level);
    }),
    expected: [
      ...twoSizes('abort', ['bbm=0 abort']),
      ...twoSizes('mix', MIXING),
      ...twoSizes('choose', ['bbm=0 old', 'bbm=0 new']),
      {
        on: ['bbm=1 ignored'],
        shown: ['tlb-conflict'],
        breakBeforeMake: 'kept',
        forbidden: ['around: conflict'],
        because: 'R_MRRPW',
      },
      {
        on: [
          'bbm=1 translate',
          'bbm=1 conflict',
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
