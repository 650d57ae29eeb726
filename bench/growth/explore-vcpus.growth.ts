/** How many states has an exploration, and how long does it take, with more vCPUs? */
import { VCPUS_EXPLORED_MAX } from '../../src/explore/protocol/machine/bounds.ts';
import { significant } from '../../src/report/numbers.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import { answerGrowth } from './answer.ts';
import { exploreFigures } from './explore-figures.ts';
import { type Growth, placesOf } from './growth.ts';
import { openRepeated } from './repeated.ts';

const VCPUS = Array.from({ length: VCPUS_EXPLORED_MAX }, (_, i) => i + 1);
const places = placesOf('vcpus', VCPUS);

export const question: Growth = {
  name: 'explore-vcpus',
  asks: 'bbm-early with all guest programs, explored with 1 to 4 vCPUs',
  variants: places.map(({ variant }) => variant),
  warmsUp: true,
  open(variant) {
    const vcpus = Number(variant.split(' ')[1]);
    return openRepeated(() => exploreFigures({ protocol: bbmEarly, vcpus }));
  },
  series: [
    {
      name: 'explorer states by vCPUs',
      asks: 'states of bbm-early, all guest programs together',
      x: 'vCPUs',
      y: 'states',
      places,
      figure: 'states',
      per: 1,
      whyWorse: 'a TLBI reaches each vCPU at a time of its own',
      remarks: (_points, figuresAt) => [
        `executions: ${VCPUS.map((x) => significant(figuresAt(x)['executions'] ?? 0)).join(', ')}, a ` +
          'factor for each vCPU; states do not multiply, because no vCPU can tell what another one does',
      ],
    },
    {
      name: 'explorer time by vCPUs',
      asks: 'time of the same, from the protocol to the verdict',
      x: 'vCPUs',
      y: 'ms',
      places,
      figure: 'ms',
      per: 1,
      whyWorse:
        'outcomes of the vCPUs are counted in every combination, and combinations multiply with each vCPU',
      remarks: () => [],
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
