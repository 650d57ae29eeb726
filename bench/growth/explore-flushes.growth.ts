/**
 * How does the search grow with the length of a protocol? Break-before-make with several TLBIs: each
 * waited for before the next, as protocols do, and all of them in flight at once.
 */
import type { GuestProgram } from '../../src/explore/protocol/index.ts';
import { childLevel, defineProtocol, EMPTY, type Protocol } from '../../src/port/index.ts';
import { significant } from '../../src/report/numbers.ts';
import { prepareSearch } from '../prepared-search.ts';
import { answerGrowth } from './answer.ts';
import { type Growth, placesOf } from './growth.ts';
import { openRepeated } from './repeated.ts';

const PROGRAM: GuestProgram = { early: [], late: [{ kind: 'load', page: 0 }] };
const waited = placesOf('waited', [1, 2, 4, 8]);
const inFlight = placesOf('in-flight', [1, 2, 3, 4, 5, 6]);
const BYTES_FROM = 4;

function flushing(count: number, waits: boolean): Protocol {
  return defineProtocol({
    name: 'flushing',
    kind: 'coalesce',
    summary: 'clear, several TLBIs, block, tear down',
    origin: 'a benchmark',
    claims: {},
    run(cpu, t, tables) {
      const child = tables.follow(t.old);
      cpu.write(t.entry, EMPTY);
      cpu.dsb('ishst');
      for (let i = 0; i < count; i++) {
        cpu.tlbi({ kind: 'vmalls12e1is' });
        if (waits) cpu.dsb('ish');
      }
      cpu.dsb('ish');
      cpu.writeRelease(t.entry, t.wanted);
      tables.tearDown(child, childLevel(t.level));
      cpu.dsb('ishst');
    },
  });
}

export const question: Growth = {
  name: 'explore-flushes',
  asks: 'the search beside one vCPU, with more TLBIs in the protocol',
  variants: [...waited, ...inFlight].map(({ variant }) => variant),
  warmsUp: true,
  open(variant) {
    const [how, count] = variant.split(' ');
    const run = prepareSearch(flushing(Number(count), how === 'waited'), 1, PROGRAM);
    return openRepeated(() => {
      const { states, bytes, stoppedBy } = run();
      if (stoppedBy !== null) throw new Error(`the search met its bound of ${stoppedBy}`);
      return { states, bytes };
    });
  },
  series: [
    {
      name: 'explorer states by TLBIs waited for',
      asks: 'a DSB after each TLBI',
      x: 'TLBIs',
      y: 'states',
      places: waited,
      figure: 'states',
      per: 1,
      whyWorse: null,
      remarks: () => ['what waits is one event after the other'],
    },
    {
      name: 'explorer states by TLBIs in flight',
      asks: 'one DSB after all TLBIs',
      x: 'TLBIs',
      y: 'states',
      places: inFlight,
      figure: 'states',
      per: 1,
      whyWorse:
        'TLBIs in flight arrive in any order, and n of them have n! orders; protocols have one or two',
      remarks: (points) => {
        const [last, before] = [points.at(-1)?.y ?? 0, points.at(-2)?.y ?? 1];
        return [`the last one makes it ${significant(last / before)} times as many`];
      },
    },
    {
      name: 'explorer time by TLBIs in flight',
      asks: 'time of the same search',
      x: 'TLBIs',
      y: 'ms',
      places: inFlight,
      figure: 'ms',
      per: 1,
      whyWorse: 'it has so many states',
      remarks: (_points, figuresAt) =>
        inFlight
          .filter(({ x }) => x >= BYTES_FROM)
          .map(({ x }) => {
            const { ms = 0, states = 1 } = figuresAt(x);
            return `${x} TLBIs: ${significant((ms * 1000) / states)} µs per state`;
          }),
    },
    {
      name: 'explorer memory by TLBIs in flight',
      asks: 'most memory that its states took at one time',
      x: 'TLBIs',
      y: 'KiB',
      places: inFlight,
      figure: 'bytes',
      per: 1024,
      whyWorse: 'it has so many states',
      remarks: (_points, figuresAt) =>
        inFlight
          .filter(({ x }) => x >= BYTES_FROM)
          .map(({ x }) => {
            const { bytes = 0, states = 1 } = figuresAt(x);
            return `${x} TLBIs: ${significant(bytes / states)} bytes per state`;
          }),
    },
  ],
};

if (import.meta.main) await answerGrowth(question, import.meta.url);
