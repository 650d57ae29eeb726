/**
 * What does it cost to split a block lazily and to fault its pages in one by one, as a guest does under
 * dirty logging? Stage UPDATE of page-table-test: one store splits, then loads touch half of the pages.
 */
import { significant } from '../../src/report/numbers.ts';
import { STAGE_FIELDS, stageField } from '../../src/stress/results/results-area.ts';
import { STAGES } from '../../src/scenarios/index.ts';
import { answerGrowth } from './answer.ts';
import { BLOCK_PLACES, blockSizeOf, GIB_PAGES } from './block-sizes.ts';
import { openCycles } from './cycles.ts';
import type { Growth } from './growth.ts';

const ROUNDS = { 1: 2, 2: 12 };
const FIELD = stageField(STAGES.indexOf('UPDATE'), STAGE_FIELDS.ns);
const places = BLOCK_PLACES.map((place) => ({ ...place, x: place.x / 2 }));
/** Half of the pages in half of a second. */
const HALF_SECOND_IN_MS = 500;

export const question: Growth = {
  name: 'populate',
  asks: 'half of the pages of a block of 2 MiB to 1 GiB faulted in one by one',
  variants: places.map(({ variant }) => variant),
  warmsUp: false,
  open(variant) {
    const size = blockSizeOf(variant);
    const shape = { ...size, scenario: 'page-table-test', cyclesPerRound: 2 };
    return openCycles(shape, ROUNDS[size.level], ({ perRound }) => ({
      updateNs: perRound((field) => field(FIELD)),
    }));
  },
  series: [
    {
      name: 'populate by faults',
      asks: 'a block split by a store, and the upper half of its pages mapped by a fault each',
      x: 'pages faulted in',
      y: 'ms',
      places,
      figure: 'updateNs',
      per: 1e6,
      whyWorse: null,
      remarks: (points) =>
        points.map(({ label, x, y }) => `${label} ${significant((y * 1e3) / x)} µs per fault`),
      aim: {
        what: 'half of 1 GiB split and faulted in',
        x: GIB_PAGES / 2,
        most: HALF_SECOND_IN_MS,
      },
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
