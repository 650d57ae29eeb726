/**
 * How many states does the explorer go through in a second, and what does one take? The search alone,
 * and with everything around it: unrolling, judging, the shortest schedules. The subject waits for no
 * TLBI, so deliveries to four vCPUs may come at any time.
 */
import type { SearchStats } from '../src/explore/model/index.ts';
import type { GuestProgram } from '../src/explore/protocol/machine/guest.ts';
import { exploreProtocol } from '../src/explore/protocol/index.ts';
import { childLevel, defineProtocol, EMPTY, type Protocol } from '../src/port/index.ts';
import { answer } from './answer.ts';
import { prepareSearch } from './prepared-search.ts';
import type { Question, Subject } from './question.ts';
import { rateOf } from './rate.ts';

const VCPUS = 4;
const PROGRAM: GuestProgram = { early: [], late: [{ kind: 'load', page: 0 }] };

export const question: Question = {
  name: 'explore-states',
  asks: 'states of the explorer, the search alone and a whole exploration',
  unit: 'states/s',
  variants: ['explore-search', 'explore-whole'],
  hasPeer: false,
  aim: null,
  open: (variant) => (variant === 'explore-search' ? openSearch() : openWhole()),
  conclude: (runs) => {
    const rates = runs.map(({ name, ours }) => `${name}: ${Math.round(ours / 1000)} k states/s`);
    const { bytes, states } = searchOnce();
    return [...rates, `${Math.round(bytes / states)} bytes per state, of ${states}`].join('; ');
  },
};

/** Break-before-make without the DSB after its TLBI. */
const UNWAITED: Protocol = defineProtocol({
  name: 'unwaited',
  kind: 'coalesce',
  summary: 'clear, DSB, TLBI, block, tear down',
  origin: 'a benchmark',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'vmalls12e1is' });
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});

const preparedSearch = (): (() => SearchStats) => prepareSearch(UNWAITED, VCPUS, PROGRAM);
const searchOnce = (): SearchStats => preparedSearch()();

function openSearch(): Subject {
  const run = preparedSearch();
  const { states } = run();
  return { sample: (ms) => rateOf(() => void run(), states, ms), close: () => {} };
}

function openWhole(): Subject {
  const run = (): number =>
    exploreProtocol({ protocol: UNWAITED, level: 1, vcpus: VCPUS, programs: [PROGRAM] }).states;
  const states = run();
  return { sample: (ms) => rateOf(() => void run(), states, ms), close: () => {} };
}

if (import.meta.main) await answer(question, import.meta.url);
