/**
 * Between rounds, while every vCPU waits at the start barrier: takes the vCPUs' counts and the
 * transition records of the round just ended and adds them to the results area. The hypervisor
 * thread alone runs it, so nothing here is atomic.
 */
import type { Arena } from '../machine/arena.ts';
import { CONTROL, EPISODES_MAX, TRANSITION, VCPU } from '../machine/layout.ts';
import { ROUND_KIND } from './group.ts';
import { HISTOGRAM, histogramBase, type ResultsArea, ROUNDS_KEPT, ROW } from './results-area.ts';
import { record } from './statistics/index.ts';

export interface RoundFacts {
  readonly round: number;
  readonly item: number;
  readonly kind: number;
  readonly durationNs: number;
  /** Transition records used, resets included. */
  readonly slots: number;
  readonly broken: number;
  /** Involuntary context switches of the hypervisor thread itself. */
  readonly preempted: number;
}

const VCPU_FIELDS: readonly (readonly [vcpuWord: number, rowField: number])[] = [
  [VCPU.issued, ROW.issued],
  [VCPU.completed, ROW.completed],
  [VCPU.inFlight, ROW.inFlight],
  [VCPU.walks, ROW.walks],
  [VCPU.ambiguous, ROW.ambiguous],
  [VCPU.entries, ROW.entries],
  [VCPU.resetFaults, ROW.resetFaults],
  [VCPU.flushAll, ROW.flushAll],
];

const TRANSITION_FIELDS: readonly (readonly [word: number, rowField: number])[] = [
  [TRANSITION.spurious, ROW.spurious],
  [TRANSITION.genuine, ROW.genuine],
  [TRANSITION.retry, ROW.retry],
  [TRANSITION.nt, ROW.nt],
  [TRANSITION.conflict, ROW.conflict],
  [TRANSITION.writes, ROW.writes],
  [TRANSITION.tlbis, ROW.tlbis],
  [TRANSITION.invalidStores, ROW.invalidStores],
];

const TIMES: readonly (readonly [word: number, kind: number])[] = [
  [TRANSITION.windowNs, HISTOGRAM.window],
  [TRANSITION.ntWindowNs, HISTOGRAM.ntWindow],
  [TRANSITION.flushNs, HISTOGRAM.flush],
  [TRANSITION.lockNs, HISTOGRAM.lock],
];

export function collectRound(arena: Arena, results: ResultsArea, facts: RoundFacts): void {
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
  add(ROW.broken, facts.broken);

  let preempted = facts.preempted;
  for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
    const w = layout.vcpuW + vcpu * VCPU.words;
    for (const [word, field] of VCPU_FIELDS) {
      add(field, i32[w + word] as number);
      i32[w + word] = 0;
    }
    preempted += i32[w + VCPU.preempted] as number;
    i32[w + VCPU.preempted] = 0;
  }
  const dropped = preempted > 0;
  add(ROW.dropped, dropped ? 1 : 0);

  for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
    const w = layout.vcpuW + vcpu * VCPU.words;
    const episodes = Math.min(i32[w + VCPU.episodes] as number, EPISODES_MAX);
    i32[w + VCPU.episodes] = 0;
    if (dropped) continue;
    const base = histogramBase(facts.item, HISTOGRAM.episode);
    for (let i = 0; i < episodes; i++)
      record(histograms, base, i32[w + VCPU.episodeLengths + i] as number);
  }

  for (let slot = 0; slot < facts.slots; slot++) {
    const t = layout.transitionW + slot * TRANSITION.words;
    if (i32[t + TRANSITION.measured] !== 1) continue;
    add(ROW.transitions, 1);
    for (const [word, field] of TRANSITION_FIELDS) add(field, i32[t + word] as number);
    const hit =
      (i32[t + TRANSITION.spurious] as number) +
      (i32[t + TRANSITION.genuine] as number) +
      (i32[t + TRANSITION.nt] as number) +
      (i32[t + TRANSITION.conflict] as number);
    if (hit > 0) add(ROW.hit, 1);
    if (dropped) continue;
    for (const [word, kind] of TIMES) {
      const ns = i32[t + word] as number;
      if (ns >= 0) record(histograms, histogramBase(facts.item, kind), ns);
    }
  }
  const totalAt = (facts.kind === ROUND_KIND.baseline ? results.items : facts.item) * ROW.fields;
  results.totals[totalAt] = (results.totals[totalAt] as number) + 1;
  for (let field: number = ROW.dropped; field < ROW.fields; field++) {
    results.totals[totalAt + field] =
      (results.totals[totalAt + field] as number) + (rows[at + field] as number);
  }
  // The row is complete before it is counted: the main thread may look after a crash.
  Atomics.store(control, 0, written + 1);
  Atomics.add(i32, CONTROL.roundsDone, 1);
}
