/** What does a cycle cost by the number of blocks, one of which at random changes its size? */
import { answerGrowth } from './answer.ts';
import { cycleNs, openCycles } from './cycles.ts';
import { type Growth, placesOf } from './growth.ts';

const BLOCKS = [1, 2, 4, 8, 16, 64];
const CYCLES_PER_ROUND = 512;
const ROUNDS = 48;
const places = placesOf('blocks', BLOCKS);

export const question: Growth = {
  name: 'blocks',
  asks: 'split-eager and bbm-early in turn on one of 1 to 64 blocks of 2 MiB',
  variants: places.map(({ variant }) => variant),
  warmsUp: false,
  open(variant) {
    const blocks = Number(variant.split(' ')[1]);
    const shape = { blocks, cyclesPerRound: CYCLES_PER_ROUND };
    return openCycles(shape, ROUNDS, (sample) => ({ cycleNs: cycleNs(sample) }));
  },
  series: [
    {
      name: 'cycle by blocks',
      asks: 'a split and a coalesce of one of the blocks, drawn at random, beside one vCPU on all of them',
      x: 'blocks of 2 MiB',
      y: 'µs per cycle',
      places,
      figure: 'cycleNs',
      per: 1000,
      whyWorse: null,
      remarks: () => [
        'a transition touches one block; with more of them the vCPU seldom faults on that one, and the ' +
          'DSBs wait for it instead',
      ],
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
