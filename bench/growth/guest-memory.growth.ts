/** How much memory does a GiB of guest take, by the layout and when all of it has been touched? */
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { layoutOf } from '../../src/machine/layout.ts';
import { significant } from '../../src/report/numbers.ts';
import { createVcpuAlone } from '../../src/stress/thread/vcpu-alone.ts';
import { CHUNK } from '../mixes.ts';
import { answerGrowth } from './answer.ts';
import { type Growth, placesOf } from './growth.ts';
import { perOne } from './series.ts';

const GIB = [1, 2, 4, 8];
const PAGES_PER_GIB = 2 ** 18;
/** A page of the host holds the lines of 64 guest pages: this leaves hardly one untouched. */
const STORES_PER_PAGE = 0.25;
const MIB = 2 ** 20;
const places = placesOf('GiB', GIB);
const memoryOf = (blocks: number) => ({ granule: '4k', level: 1, blocks }) as const;

export const question: Growth = {
  name: 'guest-memory',
  asks: 'memory of the machine by GiB of guest in pages of 4K',
  variants: places.map(({ variant }) => variant),
  warmsUp: false,
  // What it holds does not change from sample to sample.
  laps: 1,
  open(variant) {
    const blocks = Number(variant.split(' ')[1]);
    const memory = memoryOf(blocks);
    const layoutBytes = layoutOf({ ...memory, vcpus: 1, transitionsMax: 4 }).bytes;
    const before = process.memoryUsage.rss();
    const vcpu = createVcpuAlone({ cpu: DEFAULT_CPU, storesPercent: 100 }, 'wasm', memory);
    for (let left = blocks * PAGES_PER_GIB * STORES_PER_PAGE; left > 0; left -= CHUNK) {
      vcpu.runAccesses(CHUNK);
    }
    const touchedBytes = process.memoryUsage.rss() - before;
    return {
      sample: () => Promise.resolve({ layoutBytes, touchedBytes }),
      close: () => vcpu.assertClean(),
    };
  },
  series: [
    {
      name: 'shared memory by guest memory',
      asks: 'what the layout of a machine with one vCPU and blocks of 1 GiB comes to',
      x: 'GiB of guest',
      y: 'MiB',
      places,
      figure: 'layoutBytes',
      per: MIB,
      whyWorse: null,
      remarks: (points) => [
        `${significant(perOne(points))} MiB per GiB, of it 16 a line for each of its pages and 2 tables; ` +
          'three spare subtrees of 2 MiB whatever the size',
      ],
    },
    {
      name: 'resident memory by guest memory',
      asks: 'what the process has more once tables are built and all of its memory was touched',
      x: 'GiB of guest',
      y: 'MiB',
      places,
      figure: 'touchedBytes',
      per: MIB,
      whyWorse: null,
      remarks: (points) => [
        `${significant(perOne(points))} MiB per GiB, with what a vCPU itself remembers of each page`,
      ],
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
