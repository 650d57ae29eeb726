/**
 * Where a group's figures accumulate: shared memory that the hypervisor thread alone writes,
 * between rounds, and the main thread reads when the group is over. It survives the death of any
 * worker, so partial results are never lost.
 *
 *   Float64Array   (items + 1) x ROW.fields totals over all rounds, the last for baseline rounds;
 *                  field 0 counts rounds
 *   Float64Array   ROUNDS_KEPT x ROW.fields, one row per finished round, for intervals; wraps
 *   Int32Array     items x HISTOGRAMS x HISTOGRAM_BATCHES histograms, log-linear; an item's rounds go
 *                  to its batches in turn, for intervals of percentiles
 */
import { HISTOGRAM_WORDS } from './statistics/index.ts';

export const ROW = {
  round: 0,
  item: 1,
  kind: 2,
  /** A thread was preempted: counts stand, times are not used. */
  dropped: 3,
  transitions: 4,
  hit: 5,
  spurious: 6,
  genuine: 7,
  retry: 8,
  nt: 9,
  conflict: 10,
  issued: 11,
  completed: 12,
  inFlight: 13,
  walks: 14,
  durationNs: 15,
  writes: 16,
  tlbis: 17,
  ambiguous: 18,
  /** 1 if the round had a sign that was looked for (signs.ts). */
  signed: 19,
  /** Scenarios of a migration: those begun, pages sent, faults of any kind while logging was on. */
  migrations: 20,
  pagesSent: 21,
  loggingFaults: 22,
  /** Cancelled ones; from logging off to the last block: ns, accesses completed, faults. */
  cancels: 23,
  cancelNs: 24,
  cancelAccesses: 25,
  cancelFaults: 26,
  /** 1 if the round belongs to the warm-up of its item (warm-up.ts): as if dropped. */
  warmUp: 27,
  /** 1 in the last round of a warm-up that never settled. */
  unsettled: 28,
  /** Time in episodes, all vCPUs together, ns. */
  episodeNs: 29,
  /** 1 if a baseline round ran on blocks. */
  onBlocks: 30,
  /** Scenarios with a second VM: its accesses, the walks they took, VMIDs given to another. */
  neighbourAccesses: 31,
  neighbourWalks: 32,
  rollovers: 33,
  /** Three stages of STAGE_FIELDS each. */
  stages: 34,
  /** Most exits in a row of one access because its entry was LOCKED. */
  longestLoop: 46,
  fields: 47,
} as const;

/** What is counted of each stage of the scenario that has stages, from `ROW.stages` on. */
export const STAGE_FIELDS = { ns: 0, spurious: 1, genuine: 2, retry: 3, count: 4 } as const;

/** Row field of stage 0 to 2. */
export function stageField(stage: number, field: number): number {
  return ROW.stages + stage * STAGE_FIELDS.count + field;
}

export const HISTOGRAM = {
  window: 0,
  ntWindow: 1,
  flush: 2,
  lock: 3,
  episode: 4,
  kinds: 5,
} as const;

/** Independent parts of an item's rounds: percentiles are resampled by drawing among them. */
export const HISTOGRAM_BATCHES = 16;

/** Rounds kept row by row, for intervals; a group with more keeps the latest. */
export const ROUNDS_KEPT = 16_384;

export interface ResultsArea {
  readonly buffer: SharedArrayBuffer;
  /** Word 0: rows written so far. */
  readonly control: Int32Array;
  readonly items: number;
  readonly totals: Float64Array;
  readonly rows: Float64Array;
  readonly histograms: Int32Array;
}

const CONTROL_BYTES = 64;

export function createResultsArea(items: number): ResultsArea {
  const doubles = (items + 1 + ROUNDS_KEPT) * ROW.fields;
  const words = items * HISTOGRAM.kinds * HISTOGRAM_BATCHES * HISTOGRAM_WORDS;
  return attachResultsArea(new SharedArrayBuffer(CONTROL_BYTES + doubles * 8 + words * 4), items);
}

export function attachResultsArea(buffer: SharedArrayBuffer, items: number): ResultsArea {
  const totalsAt = CONTROL_BYTES;
  const rowsAt = totalsAt + (items + 1) * ROW.fields * 8;
  const histogramsAt = rowsAt + ROUNDS_KEPT * ROW.fields * 8;
  return {
    buffer,
    items,
    control: new Int32Array(buffer, 0, CONTROL_BYTES / 4),
    totals: new Float64Array(buffer, totalsAt, (items + 1) * ROW.fields),
    rows: new Float64Array(buffer, rowsAt, ROUNDS_KEPT * ROW.fields),
    histograms: new Int32Array(buffer, histogramsAt),
  };
}

/**
 * A field summed over all rounds of an item; `results.items` is the baseline. Field ROW.round
 * counts the rounds.
 */
export function totalOf(results: ResultsArea, item: number, field: number): number {
  return results.totals[item * ROW.fields + field] as number;
}

export function histogramBase(item: number, kind: number, batch: number): number {
  return ((item * HISTOGRAM.kinds + kind) * HISTOGRAM_BATCHES + batch) * HISTOGRAM_WORDS;
}
