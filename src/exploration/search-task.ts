/** One search as a task: on any thread, with all that belongs to it. What comes of it is plain data. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runsOn } from '../ablation/index.ts';
import { announcedBbm } from '../arch/cpu-model.ts';
import { exploreInSteps, type ExploreProgress, TimeLimit } from '../explore/protocol/index.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import { internalErrorText } from '../report/internal-error.ts';
import type { Search, SearchLimits } from '../request/explore.ts';
import type { ExploreRun } from '../result/explore.ts';
import { searchOf, variantsOn } from './ablate.ts';
import { isCut } from './judge.ts';
import type { LateOperations } from './late-operations.ts';

/** Between two looks at signals; the search itself hands over every few milliseconds. */
const TURN_MS = 50;

export interface SearchAt {
  readonly protocol: string;
  /** From 1. */
  readonly position: number;
  readonly of: number;
  readonly elapsedMs: number;
  /** Others that are under way on other threads. Absent: none. */
  readonly beside?: number;
}

export interface TaskHooks {
  /** Asked after every few milliseconds. */
  readonly signal: Pick<AbortSignal, 'aborted'>;
  /** How far one search is, of how many. */
  readonly onProgress: (progress: ExploreProgress, search: SearchAt) => void;
}

export type TaskAt = Pick<SearchAt, 'position' | 'of'>;

/** What is asked of every search. */
export interface SearchSettings {
  readonly ablate: boolean;
  readonly limits: SearchLimits;
}

export type SearchDone =
  | {
      readonly is: 'run';
      readonly run: ExploreRun;
      /** Of its variants, in their order; fewer after an interruption, none where nothing is ablated. */
      readonly variants: readonly ExploreRun[];
    }
  | {
      readonly is: 'failure';
      readonly why: string;
      /** It did not return: somebody may find out where it is. */
      readonly isEndless: boolean;
    };

/** Never throws: what a search does never takes the results of the others with it. */
export async function runSearchTask(
  search: Search,
  { ablate, limits }: SearchSettings,
  at: TaskAt,
  hooks: TaskHooks,
  late: LateOperations,
): Promise<SearchDone> {
  const runIt = async (one: Search): Promise<ExploreRun> => {
    const protocol = one.subject.protocol.name;
    const ran = await runSearch(one, limits, { protocol, ...at }, hooks);
    // What it left in a promise comes now.
    await nextTurn();
    late.check();
    return ran;
  };
  try {
    const run = await runIt(search);
    const variants = ablate ? await runVariants(search, run, runIt, hooks.signal) : [];
    return { is: 'run', run, variants };
  } catch (error) {
    if (!(error instanceof ProtocolFailure)) {
      return { is: 'failure', why: internalErrorText(error), isEndless: false };
    }
    return { is: 'failure', why: error.message, isEndless: error.cause instanceof TimeLimit };
  }
}

/** Every variant of a protocol on one CPU; fewer after an interruption. */
async function runVariants(
  search: Search,
  base: ExploreRun,
  runIt: (search: Search) => Promise<ExploreRun>,
  signal: TaskHooks['signal'],
): Promise<readonly ExploreRun[]> {
  const bbm = announcedBbm(search.cpu);
  const variants: ExploreRun[] = [];
  for (const variant of variantsOn(search.subject.protocol, search.level)) {
    if (signal.aborted) break;
    const run = runsOn(variant, bbm) ? await runIt(searchOf(search, variant)) : base;
    if (!isCut(run)) variants.push(run);
  }
  return variants;
}

export async function runSearch(
  { subject, cpu, level, vcpus, scenario, accesses }: Search,
  { timeMs, memoryBytes }: SearchLimits,
  at: Omit<SearchAt, 'elapsedMs'>,
  { signal, onProgress }: TaskHooks,
): Promise<ExploreRun> {
  const { protocol, mutant, source, exhibit, against = null } = subject;
  // Who says how much memory there is means that to be the bound.
  const room = memoryBytes === undefined ? {} : { memoryBytes, states: Number.POSITIVE_INFINITY };
  const asked = { cpu, level, vcpus, scenario, accesses, bounds: { timeMs, ...room } };
  const options = { protocol, mutant, against, ...(source === null ? {} : { source }), ...asked };
  const startMs = performance.now();
  let turnMs = startMs;
  const steps = exploreInSteps(options, () => signal.aborted);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return withExhibit(step.value, exhibit);
    if (performance.now() - turnMs < TURN_MS) continue;
    onProgress(step.value, { ...at, elapsedMs: performance.now() - startMs });
    // Signals arrive between two turns only.
    await nextTurn();
    turnMs = performance.now();
  }
}

/** Shown on purpose: nothing but the claim that is known to be broken was. */
function withExhibit(run: ExploreRun, exhibit: string | null): ExploreRun {
  const onlyClaim = run.violations.every((violation) => violation.rule === 'claim');
  if (exhibit === null || run.verdict !== 'violated' || !onlyClaim) return run;
  return { ...run, exhibit };
}
