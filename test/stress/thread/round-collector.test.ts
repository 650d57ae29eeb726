/** What a finished round adds to a group's figures, from words that threads would have left. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Arena, createArena } from '../../../src/machine/arena.ts';
import { TRANSITION, VCPU } from '../../../src/machine/layout.ts';
import { ROUND_KIND } from '../../../src/stress/plan/group.ts';
import {
  createResultsArea,
  HISTOGRAM,
  HISTOGRAM_BATCHES,
  histogramBase,
  type ResultsArea,
  ROW,
  totalOf,
} from '../../../src/stress/results/results-area.ts';
import { collectRound, type RoundFacts } from '../../../src/stress/thread/round-collector.ts';
import { countOf } from '../../../src/stress/statistics/index.ts';
import type { WarmUpRound } from '../../../src/stress/thread/warm-up.ts';

const FACTS: RoundFacts = {
  round: 1,
  item: 0,
  kind: ROUND_KIND.transitions,
  durationNs: 1000,
  slots: 3,
  figures: new Map(),
  preempted: 0,
  scheduled: false,
  signs: 0,
};

let arena: Arena;
let results: ResultsArea;
beforeEach(() => {
  arena = createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 2, transitionsMax: 6 });
  results = createResultsArea(1);
});

/** Two measured transitions around a reset, one of them hit twice; an episode per vCPU. */
function leaveRound(): void {
  const { i32, layout } = arena;
  for (const [slot, measured, spurious, windowNs] of [
    [0, 1, 2, 900],
    [1, 0, 5, 100],
    [2, 1, 0, 800],
  ] as const) {
    const t = layout.transitionW + slot * TRANSITION.words;
    i32.fill(-1, t, t + TRANSITION.words);
    i32.fill(0, t + TRANSITION.writes, t + TRANSITION.words);
    i32[t + TRANSITION.measured] = measured;
    i32[t + TRANSITION.spurious] = spurious;
    i32[t + TRANSITION.windowNs] = windowNs;
    i32[t + TRANSITION.writes] = 2;
  }
  for (const vcpu of [0, 1]) {
    const w = layout.vcpuW + vcpu * VCPU.words;
    i32[w + VCPU.completed] = 50;
    i32[w + VCPU.walks] = 7;
    i32[w + VCPU.episodes] = 1;
    i32[w + VCPU.episodeLengths] = 300 + vcpu;
  }
}

function collect(facts: Partial<RoundFacts> = {}, warmth: WarmUpRound = 'warm'): (number | null)[] {
  const seen: (number | null)[] = [];
  leaveRound();
  const warmUp = {
    see: (_item: number, accessNs: number | null): WarmUpRound => {
      seen.push(accessNs);
      return warmth;
    },
  };
  collectRound(arena, results, [], warmUp, { ...FACTS, ...facts });
  return seen;
}

const total = (field: number, item = 0): number => totalOf(results, item, field);
const windows = (batch: number): number =>
  countOf(results.histograms, histogramBase(0, HISTOGRAM.window, batch));

test('measured transitions alone, resets are nobody’s', () => {
  expect(collect()).toEqual([10]);
  expect([total(ROW.round), total(ROW.transitions), total(ROW.hit)]).toEqual([1, 2, 1]);
  expect([total(ROW.spurious), total(ROW.writes), total(ROW.walks)]).toEqual([2, 4, 14]);
  expect([total(ROW.warmUp), total(ROW.dropped), total(ROW.unsettled)]).toEqual([0, 0, 0]);
  expect(total(ROW.episodeNs)).toBe(601);
  expect(windows(0)).toBe(2);
});

describe('counts stand, times do not', () => {
  test.each<[string, Partial<RoundFacts>, WarmUpRound, number[]]>([
    ['where a thread was preempted', { preempted: 1 }, 'warm', [1, 0, 0]],
    ['while warming up', {}, 'warming', [0, 1, 0]],
    ['in the last round of a warm-up that did not settle', {}, 'given-up', [0, 1, 1]],
  ])('%s', (_where, facts, warmth, marks) => {
    collect(facts, warmth);
    expect([total(ROW.dropped), total(ROW.warmUp), total(ROW.unsettled)]).toEqual(marks);
    expect([total(ROW.transitions), total(ROW.spurious)]).toEqual([2, 2]);
    expect([windows(0), total(ROW.episodeNs)]).toEqual([0, 0]);
  });

  test('a preempted round says nothing of how cheap an access is, unless turns are taken', () => {
    expect(collect({ preempted: 1 })).toEqual([null]);
    expect(collect({ preempted: 1, scheduled: true })).toEqual([expect.any(Number)]);
  });
});

test('rounds go to the batches of a histogram in turn', () => {
  for (let round = 0; round <= HISTOGRAM_BATCHES; round++) collect({ round });
  expect([windows(0), windows(1), windows(HISTOGRAM_BATCHES - 1)]).toEqual([4, 2, 2]);
});

test('episodes beyond those kept are as long as the others', () => {
  leaveRound();
  const w = arena.layout.vcpuW;
  const kept = VCPU.scratch - VCPU.episodeLengths;
  arena.i32.fill(100, w + VCPU.episodeLengths, w + VCPU.scratch);
  arena.i32[w + VCPU.episodes] = kept + 10;
  arena.i32[w + VCPU.words + VCPU.episodes] = 0;
  collectRound(arena, results, [], { see: () => 'warm' }, FACTS);
  expect(total(ROW.episodeNs)).toBe((kept + 10) * 100);
});

describe('a baseline round', () => {
  test('is nobody’s warm-up, and says whether it ran on blocks', () => {
    const baseline = { kind: ROUND_KIND.baseline, slots: 0 };
    expect(collect(baseline)).toEqual([]);
    expect([total(ROW.round, 1), total(ROW.onBlocks, 1), total(ROW.walks, 1)]).toEqual([1, 0, 14]);
    // Version 3 of the region: an odd one is a block.
    arena.i32[arena.layout.ghostW] = 3 << 2;
    collect(baseline);
    expect([total(ROW.round, 1), total(ROW.onBlocks, 1), total(ROW.round)]).toEqual([2, 1, 0]);
  });
});
