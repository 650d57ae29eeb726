/**
 * Between rounds, while every vCPU waits at the start barrier: takes the vCPUs' counts and the
 * transition records of the round just ended and adds them to the results area. The hypervisor
 * thread alone runs it, so nothing here is atomic.
 */
import { assert } from '../../arch/assert.ts';
import type { Arena } from '../../machine/arena.ts';
import { CONTROL, EPISODES_MAX, TRANSITION, VCPU } from '../../machine/layout.ts';
import { HISTOGRAMS, type Source, SOURCES } from '../../result/figures/figures.ts';
import { ROUND_KIND } from '../plan/group.ts';
import {
  FIRST_TOTAL,
  HISTOGRAM,
  HISTOGRAM_BATCHES,
  histogramBase,
  type ResultsArea,
  ROUNDS_KEPT,
  ROW,
} from '../results/results-area.ts';
import { countedSigns, type Sign } from '../results/signs.ts';
import { record } from '../statistics/index.ts';
import type { WarmUp } from './warm-up.ts';

export interface RoundFacts {
  readonly round: number;
  readonly item: number;
  readonly kind: number;
  readonly durationNs: number;
  /** Transition records used, resets included. */
  readonly slots: number;
  /** What the workload counted: row field and value. */
  readonly figures: ReadonlyMap<number, number>;
  /** Involuntary context switches of the hypervisor thread itself. */
  readonly preempted: number;
  /** vCPUs take turns: hardly a round without preemption, and the code settles all the same. */
  readonly scheduled: boolean;
  /** Evidence of a kind that was looked for. */
  readonly signs: number;
}

type Pairs = readonly (readonly [word: number, place: number])[];

type CountedBy<By> = { [S in Source]: (typeof SOURCES)[S] extends By ? S : never }[Source];

/** A word of `words` and its field of the row, for each thing that such words count. */
function fieldsOf<By extends 'vcpu' | 'vcpu most' | 'transition'>(
  by: By,
  words: Readonly<Record<CountedBy<By>, number>>,
): Pairs {
  const names = Object.keys(SOURCES).filter((name) => SOURCES[name as Source] === by);
  return names.map((name) => {
    const word = words[name as CountedBy<By>];
    assert(word !== undefined, `figures.ts says ${by} counts ${name}: it has no such word`);
    return [word, ROW[name as Source]];
  });
}

const VCPU_FIELDS = fieldsOf('vcpu', VCPU);
const VCPU_MOST = fieldsOf('vcpu most', VCPU);
const TRANSITION_FIELDS = fieldsOf('transition', TRANSITION);

/** `windowNs` of a transition's record goes to the histogram `window`. */
const TIMES: Pairs = Object.entries(HISTOGRAMS).flatMap(([name, by]) => {
  if (by !== 'transition') return [];
  const word = (TRANSITION as Readonly<Record<string, number>>)[`${name}Ns`];
  assert(word !== undefined, `a transition's record has no ${name}Ns`);
  return [[word, HISTOGRAM[name as keyof typeof HISTOGRAMS]] as const];
});

export function collectRound(
  arena: Arena,
  results: ResultsArea,
  signs: readonly Sign[],
  warmUp: WarmUp,
  facts: RoundFacts,
): void {
  const { i32, layout } = arena;
  const { rows, histograms, control } = results;
  const written = control[0] as number;
  const at = (written % ROUNDS_KEPT) * ROW.fields;
  rows.fill(0, at, at + ROW.fields);
  const add = (field: number, by: number): void => {
    rows[at + field] = (rows[at + field] as number) + by;
  };
  add(ROW.round, facts.round);
  add(ROW.item, facts.item);
  add(ROW.kind, facts.kind);
  add(ROW.durationNs, facts.durationNs);
  for (const [field, value] of facts.figures) add(field, value);

  let preempted = facts.preempted;
  for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
    const w = layout.vcpuW + vcpu * VCPU.words;
    for (const [word, field] of VCPU_FIELDS) {
      add(field, i32[w + word] as number);
      i32[w + word] = 0;
    }
    for (const [word, field] of VCPU_MOST) {
      rows[at + field] = Math.max(rows[at + field] as number, i32[w + word] as number);
      i32[w + word] = 0;
    }
    preempted += i32[w + VCPU.preempted] as number;
    i32[w + VCPU.preempted] = 0;
  }
  const preemptedAtAll = preempted > 0;
  add(ROW.dropped, preemptedAtAll ? 1 : 0);
  const isBaseline = facts.kind === ROUND_KIND.baseline;
  const completed = rows[at + ROW.completed] as number;
  const saysNothing = completed === 0 || (preemptedAtAll && !facts.scheduled);
  const accessNs = saysNothing ? null : facts.durationNs / completed;
  const warmth = isBaseline ? 'warm' : warmUp.see(facts.item, accessNs);
  if (warmth !== 'warm') add(ROW.warmUp, 1);
  if (warmth === 'given-up') add(ROW.unsettled, 1);
  if (isBaseline) add(ROW.onBlocks, ((i32[layout.ghostW] as number) >> 2) & 1);
  /** Times of this round are not used. */
  const dropped = preemptedAtAll || warmth !== 'warm';
  const totalAt = (isBaseline ? results.items : facts.item) * ROW.fields;
  const batch = (results.totals[totalAt] as number) % HISTOGRAM_BATCHES;

  for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
    const w = layout.vcpuW + vcpu * VCPU.words;
    const all = i32[w + VCPU.episodes] as number;
    i32[w + VCPU.episodes] = 0;
    if (dropped) continue;
    const kept = Math.min(all, EPISODES_MAX);
    const base = histogramBase(facts.item, HISTOGRAM.episode, batch);
    let sumNs = 0;
    for (let i = 0; i < kept; i++) {
      const ns = i32[w + VCPU.episodeLengths + i] as number;
      record(histograms, base, ns);
      sumNs += ns;
    }
    // Those beyond what is kept were counted, and are taken to be as long as the others.
    if (kept > 0) add(ROW.episodeNs, (sumNs / kept) * all);
  }

  // Made by vCPUs in their fault handlers: each is an answer to a fault.
  let transitions = 0;
  for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
    const changesW = layout.vcpuW + vcpu * VCPU.words + VCPU.changes;
    transitions += i32[changesW] as number;
    i32[changesW] = 0;
  }
  let hit = transitions;
  add(ROW.genuine, transitions);
  for (let slot = 0; slot < facts.slots; slot++) {
    const t = layout.transitionW + slot * TRANSITION.words;
    if (i32[t + TRANSITION.measured] !== 1) continue;
    transitions++;
    const faults =
      (i32[t + TRANSITION.spurious] as number) +
      (i32[t + TRANSITION.genuine] as number) +
      (i32[t + TRANSITION.nt] as number) +
      (i32[t + TRANSITION.conflict] as number);
    if (faults > 0) hit++;
    if (dropped) continue;
    for (const [word, kind] of TIMES) {
      const ns = i32[t + word] as number;
      if (ns >= 0) record(histograms, histogramBase(facts.item, kind, batch), ns);
    }
  }
  add(ROW.transitions, transitions);
  add(ROW.hit, hit);
  // Field by field: sums of whole numbers make no garbage, additions to the row one each.
  for (const [word, field] of TRANSITION_FIELDS)
    add(field, sumOfMeasured(arena, facts.slots, word));
  if (facts.signs + countedSigns(rows, at, signs) > 0) add(ROW.signed, 1);
  results.totals[totalAt] = (results.totals[totalAt] as number) + 1;
  for (let field: number = FIRST_TOTAL; field < ROW.fields; field++) {
    results.totals[totalAt + field] =
      (results.totals[totalAt + field] as number) + (rows[at + field] as number);
  }
  // The row is complete before it is counted: the main thread may look after a crash.
  Atomics.store(control, 0, written + 1);
  Atomics.add(i32, CONTROL.roundsDone, 1);
}

/** A word of the transition records, summed over those measured. */
function sumOfMeasured({ i32, layout }: Arena, slots: number, word: number): number {
  let sum = 0;
  for (let slot = 0; slot < slots; slot++) {
    const t = layout.transitionW + slot * TRANSITION.words;
    if (i32[t + TRANSITION.measured] === 1) sum += i32[t + word] as number;
  }
  return sum;
}
