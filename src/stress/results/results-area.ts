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
import { assert } from '../../arch/assert.ts';
import { HISTOGRAMS, type Source, SOURCES } from '../../result/figures/figures.ts';
import { STAGES } from '../../scenarios/index.ts';
import { HISTOGRAM_WORDS } from '../statistics/index.ts';

/** What is counted of each stage of the scenario that has stages, from `ROW.stages` on. */
export const STAGE_FIELDS = { ns: 0, spurious: 1, genuine: 2, retry: 3, count: 4 } as const;

/** Which round it was, in its own row only: totals begin behind these, and count rounds in field 0. */
const OWN = ['round', 'item', 'kind'] as const;

type Row = Readonly<Record<(typeof OWN)[number] | Source | 'stages' | 'fields', number>>;

/** Fields of a row: one for each thing that is counted in a round (result/figures/figures.ts). */
export const ROW: Row = Object.freeze(rowFields());

function rowFields(): Row {
  const counted = Object.keys(SOURCES).filter((name) => name !== 'round') as Exclude<
    Source,
    'round'
  >[];
  const names = [...OWN, ...counted];
  const at = Object.fromEntries(names.map((name, i) => [name, i]));
  const stages = names.length;
  const row = { ...at, stages, fields: stages + STAGES.length * STAGE_FIELDS.count } as Row;
  assert(new Set(names).size === names.length, 'no two fields of a row have one name');
  return row;
}

/** The first field that is added up over rounds. */
export const FIRST_TOTAL = OWN.length;

/** Row field of stage 0 to 2. */
export function stageField(stage: number, field: number): number {
  return ROW.stages + stage * STAGE_FIELDS.count + field;
}

type HistogramName = keyof typeof HISTOGRAMS;

/** Place of each among an item's histograms, and how many there are. */
export const HISTOGRAM: Readonly<Record<HistogramName | 'kinds', number>> = Object.freeze({
  ...(Object.fromEntries(Object.keys(HISTOGRAMS).map((name, i) => [name, i])) as Record<
    HistogramName,
    number
  >),
  kinds: Object.keys(HISTOGRAMS).length,
});

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
