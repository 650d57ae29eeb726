/** How many states has an exploration, and how long does it take, with longer guest programs? */
import { significant } from '../../src/report/numbers.ts';
import type { Access } from '../../src/explore/protocol/index.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import { answerGrowth } from './answer.ts';
import { exploreFigures } from './explore-figures.ts';
import { type Growth, placesOf } from './growth.ts';
import { openRepeated } from './repeated.ts';

const LENGTHS = [1, 2, 3, 4, 5, 6, 7];
const places = placesOf('accesses', LENGTHS);

/** Loads and stores of the two pages in turn. */
const accessAt = (i: number): Access => ({
  kind: i % 2 === 0 ? 'load' : 'store',
  page: (i >> 1) & 1,
});

export const question: Growth = {
  name: 'explore-program',
  asks: 'bbm-early explored with two vCPUs that make 1 to 7 accesses each',
  variants: places.map(({ variant }) => variant),
  warmsUp: true,
  open(variant) {
    const length = Number(variant.split(' ')[1]);
    const early = Array.from({ length }, (_, i) => accessAt(i));
    const programs = [{ early, late: [] }];
    return openRepeated(() => exploreFigures({ protocol: bbmEarly, vcpus: 2, programs }));
  },
  series: [
    {
      name: 'explorer states by accesses',
      asks: 'states of bbm-early with two vCPUs, one guest program',
      x: 'accesses of each vCPU',
      y: 'states',
      places,
      figure: 'states',
      per: 1,
      whyWorse: 'stores of a guest are events of the global order',
      remarks: () => ['accesses are no events: nobody else reads the words that guests store to'],
    },
    {
      name: 'explorer time by accesses',
      asks: 'time of the same',
      x: 'accesses of each vCPU',
      y: 'ms',
      places,
      figure: 'ms',
      per: 1,
      whyWorse:
        'each access may be served by a walk of its own or by an entry of an earlier one, and a thread ' +
        'is tried with every combination: its ways multiply with each access',
      remarks: (points) => {
        const [last, before] = [points.at(-1)?.y ?? 0, points.at(-3)?.y ?? 1];
        return [`the last two accesses make it ${significant(last / before)} times as long`];
      },
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
