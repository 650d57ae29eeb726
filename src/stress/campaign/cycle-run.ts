/**
 * A group that does nothing but split and coalesce, as fast as it can, beside vCPUs that fault, repair
 * and acknowledge all the while: for benchmarks, and to see whether the engine works here.
 */
import { DEFAULT_CPU } from '../../arch/cpu-model.ts';
import type { MachineConfig } from '../../machine/layout.ts';
import type { GroupRequest } from '../plan/group-request.ts';
import { type GroupOutcome, runGroup } from '../group/group-run.ts';
import { ROUND_KIND } from '../plan/group.ts';
import { PLAIN_GROUP, spinsFor } from '../plan/plain-group.ts';
import type { ThreadPool } from '../group/pool.ts';
import { type ResultsArea, ROUNDS_KEPT, ROW } from '../results/results-area.ts';

export const CYCLES_PER_ROUND = 256;

/** What may differ from one group of cycles to the next. */
export interface CycleShape extends Pick<MachineConfig, 'granule' | 'level' | 'blocks' | 'vcpus'> {
  readonly scenario: string;
  /** Correct built-in protocols; rounds go to each in turn. */
  readonly protocols: readonly string[];
  readonly cyclesPerRound: number;
  /** Mean pause before each half of a cycle. */
  readonly gapNs: number;
  /** vCPUs that run at once; the others wait for their turn. */
  readonly tokens: number;
}

/** One vCPU and one block of 2 MiB, without a pause. */
export const PLAIN_CYCLES: CycleShape = Object.freeze({
  granule: '4k',
  level: 2,
  blocks: 1,
  vcpus: 1,
  scenario: 'adjust-populated',
  protocols: Object.freeze(['bbm-early']),
  cyclesPerRound: CYCLES_PER_ROUND,
  gapNs: 0,
  tokens: 1,
});

function requestOf(shape: CycleShape): Omit<GroupRequest, 'roundsMax' | 'budgetMs'> {
  const { granule, level, blocks, vcpus, scenario, protocols, cyclesPerRound, gapNs, tokens } =
    shape;
  const transitionsMax = 2 * (cyclesPerRound + blocks);
  return {
    ...PLAIN_GROUP,
    config: { granule, level, blocks, vcpus, transitionsMax },
    scenario,
    items: protocols.map((name) => ({
      protocol: { from: 'built-in', name },
      cpu: DEFAULT_CPU,
      bug: null,
    })),
    seed: 1,
    transitions: cyclesPerRound,
    gapNs,
    tokens,
    spins: spinsFor(tokens, vcpus),
  };
}

/** When it ends: whichever comes first, but not before `roundsMin`. */
export type CycleLimit = Pick<GroupRequest, 'roundsMax' | 'budgetMs' | 'roundsMin'>;

/** Throws if the group did not end in order, or a correct protocol was accused. */
export async function runCycles(
  pool: ThreadPool,
  limit: CycleLimit,
  signal: AbortSignal,
  shape: CycleShape = PLAIN_CYCLES,
): Promise<GroupOutcome> {
  const request = { ...requestOf(shape), ...limit };
  const outcome = await runGroup(pool, request, { signal, onTick() {} });
  const { end, recorded } = outcome;
  if (end.kind !== 'done') throw new Error(`the group ended: ${JSON.stringify(end)}`);
  if (recorded.length > 0) throw new Error(`${shape.protocols.join(' or ')} was accused`);
  return outcome;
}

/** Cycles per second of each finished round. */
export function cycleRates(results: ResultsArea): readonly number[] {
  return roundFigures(results, (field) => field(ROW.transitions) / (field(ROW.durationNs) / 1e9));
}

/**
 * A figure of each finished round with transitions, in order: of those in which no thread lost its CPU
 * if there are such.
 */
export function roundFigures(
  { rows, control }: ResultsArea,
  figureOf: (field: (row: number) => number) => number,
): readonly number[] {
  const kept = Math.min(control[0] ?? 0, ROUNDS_KEPT);
  const rounds = Array.from({ length: kept }, (_, i) => i * ROW.fields)
    .map((at) => (field: number) => rows[at + field] as number)
    .filter((field) => field(ROW.kind) === ROUND_KIND.transitions);
  const undisturbed = rounds.filter((field) => field(ROW.dropped) === 0);
  return (undisturbed.length > 0 ? undisturbed : rounds).map(figureOf);
}
