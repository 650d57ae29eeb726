/**
 * A block replaced by a full table in one store, then flushed: the way back of `coalesce-direct`,
 * with the same verdicts. The block's entry may outlive the store, and a page of the new table be
 * fetched beside it (R_WHZWS, R_KFLJB, R_FVQCK). The hint of the flush is right: what has to go is the
 * block, a leaf of the entry's own level (I_LTZBK).
 *
 * The twin breaks first.
 */
import { EMPTY, flushIpa } from '../../../../src/port/index.ts';
import {
  ABORTING,
  CHOOSING,
  MIXING,
  SAFE,
  type SizeChangeCase,
  split,
  twoSizes,
} from '../size-change-case.ts';

export default {
  name: 'split-direct',
  weak: {
    protocol: split('full table over the block, flush IPA', (cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
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
    protocol: split('build, invalidate, flush IPA, table', (cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
      cpu.write(t.entry, EMPTY);
      flushIpa(cpu, t.ipa, t.level);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    }),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
