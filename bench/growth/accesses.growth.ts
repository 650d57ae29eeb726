/** What does a guest's access cost with more vCPUs, where a transition comes every other millisecond? */
import { ROW } from '../../src/stress/results/results-area.ts';
import { answerGrowth } from './answer.ts';
import { openCycles } from './cycles.ts';
import { type Growth, placesOf } from './growth.ts';
import { tokensFor, turnsText, VCPU_COUNTS } from './vcpu-counts.ts';

const PAUSE_NS = 1e6;
const ROUNDS = 64;
const places = placesOf('vcpus', VCPU_COUNTS);

export const question: Growth = {
  name: 'accesses',
  asks: 'guest accesses of more and more vCPUs between rare transitions',
  variants: places.map(({ variant }) => variant),
  warmsUp: false,
  open(variant) {
    const vcpus = Number(variant.split(' ')[1]);
    const tokens = tokensFor(vcpus);
    const shape = { vcpus, tokens, cyclesPerRound: 1, gapNs: PAUSE_NS };
    return openCycles(shape, ROUNDS, ({ perRound }) => ({
      accessNs: perRound((field) => (field(ROW.durationNs) * tokens) / field(ROW.completed)),
    }));
  },
  series: [
    {
      name: 'access by vCPUs',
      asks: 'time of a vCPU that runs per guest access, a transition every other millisecond',
      x: 'vCPUs',
      y: 'ns per access',
      places,
      figure: 'accessNs',
      per: 1,
      whyWorse: null,
      remarks: () => turnsText(),
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
