/**
 * A group that does nothing but split and coalesce, as fast as it can, beside one vCPU that faults,
 * repairs and acknowledges all the while: for benchmarks, and to see whether the engine works here.
 */
import { DEFAULT_CPU } from '../arch/cpu-model.ts';
import { type GroupOutcome, type GroupRequest, runGroup } from './group-run.ts';
import { ROUND_KIND } from './group.ts';
import type { ThreadPool } from './pool.ts';
import { type ResultsArea, ROUNDS_KEPT, ROW } from './results-area.ts';

export const CYCLES_PER_ROUND = 256;

const REQUEST: Omit<GroupRequest, 'roundsMax' | 'budgetMs'> = {
  config: {
    granule: '4k',
    level: 2,
    blocks: 1,
    vcpus: 1,
    transitionsMax: 2 * CYCLES_PER_ROUND + 2,
  },
  scenario: 'adjust-populated',
  items: [{ protocol: { from: 'built-in', name: 'bbm-early' }, cpu: DEFAULT_CPU, bug: null }],
  seed: 1,
  access: 'wasm',
  pattern: 'uniform',
  storesPercent: 50,
  exitEvery: 1024,
  pollsEachAccess: true,
  coldExits: false,
  transitions: CYCLES_PER_ROUND,
  gapNs: 0,
  reorder: false,
  delays: [],
  pin: null,
  tokens: 1,
  spins: 2000,
  signs: [],
  stopsAtSign: false,
};

/** When it ends: whichever comes first. */
export type CycleLimit = Pick<GroupRequest, 'roundsMax' | 'budgetMs'>;

/** Throws if the group did not end in order, or a correct protocol was accused. */
export async function runCycles(
  pool: ThreadPool,
  limit: CycleLimit,
  signal: AbortSignal,
): Promise<GroupOutcome> {
  const outcome = await runGroup(pool, { ...REQUEST, ...limit }, { signal, onTick() {} });
  const { end, recorded } = outcome;
  if (end.kind !== 'done') throw new Error(`the group ended: ${JSON.stringify(end)}`);
  if (recorded.length > 0) throw new Error('bbm-early was accused');
  return outcome;
}

/** Cycles per second of each finished round: of those in which no thread lost its CPU if there are such. */
export function cycleRates({ rows, control }: ResultsArea): readonly number[] {
  const kept = Math.min(control[0] ?? 0, ROUNDS_KEPT);
  const undisturbed: number[] = [];
  const all: number[] = [];
  for (let at = 0; at < kept * ROW.fields; at += ROW.fields) {
    if (rows[at + ROW.kind] !== ROUND_KIND.transitions) continue;
    const seconds = (rows[at + ROW.durationNs] as number) / 1e9;
    const rate = (rows[at + ROW.transitions] as number) / seconds;
    all.push(rate);
    if (rows[at + ROW.dropped] === 0) undisturbed.push(rate);
  }
  return undisturbed.length > 0 ? undisturbed : all;
}
