/** What does it cost to split a block into populated tables and to coalesce it again, by its size? */
import { significant } from '../../src/report/numbers.ts';
import { answerGrowth } from './answer.ts';
import { BLOCK_PLACES, blockSizeOf, GIB_PAGES } from './block-sizes.ts';
import { cycleNs, openCycles } from './cycles.ts';
import type { Growth } from './growth.ts';

/** Of a block of 1 GiB a cycle takes milliseconds, and few are enough to warm up. */
const SIZES = { 1: { cyclesPerRound: 1, rounds: 24 }, 2: { cyclesPerRound: 64, rounds: 32 } };
const SECOND_IN_MS = 1000;

export const question: Growth = {
  name: 'block-size',
  asks: 'split-eager and bbm-early in turn on blocks of 2 MiB to 1 GiB',
  variants: BLOCK_PLACES.map(({ variant }) => variant),
  warmsUp: false,
  open(variant) {
    const size = blockSizeOf(variant);
    const { cyclesPerRound, rounds } = SIZES[size.level];
    const shape = { ...size, cyclesPerRound };
    return openCycles(shape, rounds, (sample) => ({ cycleNs: cycleNs(sample) }));
  },
  series: [
    {
      name: 'cycle by block size',
      asks: 'a block split into populated tables, and coalesced again, beside one vCPU',
      x: 'pages of the block',
      y: 'ms per cycle',
      places: BLOCK_PLACES,
      figure: 'cycleNs',
      per: 1e6,
      whyWorse:
        'the tables of 1 GiB are 2 MiB of descriptors, more than the first caches of a core hold, and ' +
        'each is written when it is filled, when it is freed, and read when it is taken again',
      remarks: (points) =>
        points.map(({ label, x, y }) => `${label} ${significant((y * 1e6) / x)} ns per page`),
      aim: { what: '1 GiB split, populated and coalesced', x: GIB_PAGES, most: SECOND_IN_MS },
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
