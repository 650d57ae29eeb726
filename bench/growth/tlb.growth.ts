/** What does an access cost by the size of the TLB, and how much of it is walks? */
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { significant } from '../../src/report/numbers.ts';
import type { BenchPoint } from '../../src/result/bench.ts';
import { createVcpuAlone } from '../../src/stress/thread/vcpu-alone.ts';
import { CHUNK } from '../mixes.ts';
import { nsOf } from '../question.ts';
import { rateOf } from '../rate.ts';
import { answerGrowth } from './answer.ts';
import { lineThrough } from './fit.ts';
import { type FiguresAt, type Growth, placesOf, type SeriesPlan } from './growth.ts';

const ENTRIES = [0, 16, 64, 256, 1024, 4096];
/** 2 MiB, which a large TLB holds whole, and 32 MiB, which none of these does. */
const BLOCKS = [1, 16];
const PAGES_PER_BLOCK = 512;

const prefixOf = (blocks: number): string => `${blocks * 2} MiB`;

export const question: Growth = {
  name: 'tlb',
  asks: 'accesses over 2 and over 32 MiB of pages with a TLB of 0 to 4096 entries',
  variants: BLOCKS.flatMap((blocks) => ENTRIES.map((tlb) => `${prefixOf(blocks)} ${tlb}`)),
  warmsUp: true,
  open(variant) {
    const [mib, , tlb] = variant.split(' ').map(Number);
    const cpu = { ...DEFAULT_CPU, tlb: tlb ?? 0, walkcache: false };
    const memory = { granule: '4k', level: 2, blocks: (mib ?? 0) / 2 } as const;
    const vcpu = createVcpuAlone({ cpu, storesPercent: 0 }, 'wasm', memory);
    return {
      async sample(ms) {
        const before = vcpu.counts();
        const rate = await rateOf(() => vcpu.runAccesses(CHUNK), CHUNK, ms);
        const after = vcpu.counts();
        const walks = (after.walks - before.walks) | 0;
        const accesses = (after.accesses - before.accesses) | 0;
        return { accessNs: nsOf(rate), walkShare: walks / accesses };
      },
      close: () => vcpu.assertClean(),
    };
  },
  series: BLOCKS.flatMap((blocks) => {
    const places = placesOf(prefixOf(blocks), ENTRIES);
    const over = `${blocks * PAGES_PER_BLOCK} pages`;
    const common = { x: 'TLB entries', places, whyWorse: null };
    return [
      {
        ...common,
        name: `access by TLB, ${over}`,
        asks: `a load from one of ${over} drawn at random; a miss walks three levels, without a walk cache`,
        y: 'ns per access',
        figure: 'accessNs',
        per: 1,
        remarks: toldApart,
      },
      {
        ...common,
        name: `walks by TLB, ${over}`,
        asks: `share of these accesses that miss the TLB and walk`,
        y: '% of accesses',
        figure: 'walkShare',
        per: 0.01,
        remarks: () => [],
      },
    ] satisfies SeriesPlan[];
  }),
};

/** Cost = hit + share of walks x what a walk adds, through the points with the least and most walks. */
function toldApart(points: readonly BenchPoint[], figuresAt: FiguresAt): readonly string[] {
  const byShare = points
    .map(({ x, y }) => ({ x: figuresAt(x)['walkShare'] ?? 0, y }))
    .toSorted((a, b) => a.x - b.x);
  const { slope, intercept } = lineThrough([...byShare.slice(0, 1), ...byShare.slice(-1)]);
  return [
    `told apart by the share of walks: ${significant(intercept)} ns for a hit, ` +
      `${significant(slope)} ns more for a walk`,
  ];
}

if (import.meta.main) await answerGrowth(question, import.meta.url);
