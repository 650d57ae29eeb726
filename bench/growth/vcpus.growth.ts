/**
 * What does a cycle of a split and a coalesce cost with more vCPUs that fault and acknowledge beside
 * it, and how much memory does each of them take?
 */
import { VCPU } from '../../src/machine/layout.ts';
import { significant } from '../../src/report/numbers.ts';
import { answerGrowth } from './answer.ts';
import { cycleNs, openCycles } from './cycles.ts';
import { type Growth, placesOf } from './growth.ts';
import { perOne } from './series.ts';
import { tokensFor, turnsText, VCPU_COUNTS } from './vcpu-counts.ts';

const CYCLES_PER_ROUND = 512;
const ROUNDS = 48;
const MIB = 2 ** 20;
const KIB = 2 ** 10;

const places = placesOf('vcpus', VCPU_COUNTS);

export const question: Growth = {
  name: 'vcpus',
  asks: 'split-eager and bbm-early in turn beside more and more vCPUs',
  variants: places.map(({ variant }) => variant),
  warmsUp: false,
  open(variant) {
    const vcpus = Number(variant.split(' ')[1]);
    const shape = { vcpus, tokens: tokensFor(vcpus), cyclesPerRound: CYCLES_PER_ROUND };
    return openCycles(shape, ROUNDS, (sample) => ({
      cycleNs: cycleNs(sample),
      arenaBytes: sample.arena.handle.memory.buffer.byteLength,
      layoutBytes: sample.arena.layout.bytes,
      rssBytes: sample.rssBytes,
    }));
  },
  series: [
    {
      name: 'cycle by vCPUs',
      asks: 'a split and a coalesce of 2 MiB, without a pause, beside running vCPUs',
      x: 'vCPUs',
      y: 'µs per cycle',
      places,
      figure: 'cycleNs',
      per: 1000,
      whyWorse:
        'a DSB waits for the slowest vCPU, and each that has faulted takes the lock before the next ' +
        'transition can',
      remarks: (points) => {
        const one = points[0]?.y ?? 0;
        return [`${significant(1e6 / one)} cycles/s with one`, ...turnsText()];
      },
    },
    {
      name: 'shared memory by vCPUs',
      asks: 'what the layout of a machine with one block of 2 MiB comes to',
      x: 'vCPUs',
      y: 'KiB',
      places,
      figure: 'layoutBytes',
      per: KIB,
      whyWorse: 'every vCPU has a line of its own in each guest page',
      remarks: (points) => [
        `${significant(perOne(points))} KiB per vCPU, of it ${(VCPU.words * 4) / KIB} its counters ` +
          'and the rest rings, evidence and a line in each of 512 guest pages',
      ],
    },
    {
      name: 'process memory by vCPUs',
      asks: 'resident memory of the process while the group runs, main thread and hypervisor included',
      x: 'vCPUs',
      y: 'MiB',
      places,
      figure: 'rssBytes',
      per: MIB,
      whyWorse: null,
      remarks: (points) => [
        `${significant(perOne(points))} MiB per vCPU: the engine of its thread, with a young ` +
          'generation so large that no collection stops it in a round',
      ],
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
