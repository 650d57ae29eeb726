/**
 * All of an exploration: its searches beside each other, what sequences lack and steps are for, and the
 * result of it. What one protocol does never takes the results of the others with it.
 */
import { availableParallelism } from 'node:os';
import type { ExplorePlan, ExploreRequest } from '../request/explore.ts';
import type { ExploreResult } from '../result/explore.ts';
import { loaderOf, MODULE, moduleOf } from '../loaders/index.ts';
import { packageVersion } from '../result/version.ts';
import { machineInfo } from '../stress/process/machine-info.ts';
import { forgetRuns } from '../explore/protocol/index.ts';
import { type Patience, runBeside } from './beside.ts';
import { InOrder } from './in-order.ts';
import { judge } from './judge.ts';
import { watchLateOperations } from './late-operations.ts';
import { searchMark } from './mark.ts';
import type { ExplorationHooks, Ran } from './ran.ts';
import { Results } from './results.ts';
import {
  concludeSearch,
  joinSearchTask,
  runSearchTask,
  settingsFor,
  type SearchDone,
  type ShareDone,
  type TaskAt,
} from './search-task.ts';
import { ShareBook } from './share-book.ts';

/** Nothing is drawn by chance. */
export type ExplorationResult = Omit<ExploreResult, 'seed'> & { readonly seed: null };

/** An abort ends it in order: the result has what was done, the search it cut short included. */
export async function runExploration(
  plan: ExplorePlan,
  hooks: ExplorationHooks,
  patience: Partial<Patience> = {},
): Promise<ExplorationResult> {
  const startedAt = new Date();
  const startMs = performance.now();
  forgetRuns();
  const ran = await runAll(plan, hooks, patience);
  const { searches, shard, remarks } = plan;
  const asked = { argv: hooks.argv, wanted: searches.length, shard, remarks };
  return resultOf(ran, { ...asked, startedAt, startMs });
}

interface Asked {
  readonly argv: readonly string[];
  /** Searches. */
  readonly wanted: number;
  readonly shard: ExplorePlan['shard'];
  readonly remarks?: ExplorePlan['remarks'];
  readonly startedAt: Date;
  readonly startMs: number;
}

export function resultOf(
  { runs, failures, isWhole }: Ran,
  { argv, wanted, shard, remarks = [], startedAt, startMs }: Asked,
): ExplorationResult {
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'explore',
    ...judge(runs, failures, wanted, !isWhole),
    ...(remarks.length === 0 ? {} : { remarks }),
    seed: null,
    argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a model runs the same everywhere.
    machine: { ...machineInfo(), cpus: availableParallelism(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: !isWhole,
    ...(shard === null ? {} : { shard }),
    ...(failures.length === 0 ? {} : { failures }),
    runs,
  };
}

async function runAll(
  plan: ExplorePlan,
  hooks: ExplorationHooks,
  patience: Partial<Patience>,
): Promise<Ran> {
  const { searches } = plan;
  const results = new Results(plan, hooks);
  const inOrder = new InOrder((number, done: SearchDone) => results.add(number, done));
  const files = [...new Set(searches.flatMap(({ subject }) => subject.file ?? []))]
    .filter((file) => loaderOf(file) === MODULE)
    .map(moduleOf);
  const job = canCross(plan.request)
    ? ({ is: 'explore', request: plan.request, files } as const)
    : null;
  const settings = settingsFor(plan, job === null ? 1 : plan.jobs);
  const shares = new ShareBook((number, each) =>
    concludeSearch(results.searchAt(number), settings.limits, each),
  );
  const at = (number: number): TaskAt => ({ position: number + 1, of: searches.length });
  const late = watchLateOperations();
  try {
    await runBeside<SearchDone, SearchDone | ShareDone>(
      {
        numbers: [...searches.keys()],
        jobs: plan.jobs,
        job,
        mark: searchMark(searches),
        lost: (number, why): SearchDone => {
          const { name } = results.searchAt(number).subject.protocol;
          return { is: 'failure', why: `protocol ${name}: ${why}`, isEndless: false };
        },
        runHere: (task, hooks, words) =>
          runSearchTask(results.searchAt(task), settings, at(task), hooks, late, { words, task }),
        sharing: {
          joinHere: (task, hooks, words) =>
            joinSearchTask(results.searchAt(task), settings, at(task), hooks, late, {
              words,
              task,
            }),
        },
        wholeOf: (number, done, thread) => {
          hooks.onThread?.(thread);
          return shares.add(number, done);
        },
        onDone: (number, done) => {
          shares.drop(number);
          inOrder.add(number, done);
        },
        signal: hooks.signal,
        onProgress: hooks.onProgress,
      },
      patience,
    );
    for (const [number, done] of shares.cut()) inOrder.add(number, done);
    await inOrder.end();
  } finally {
    late.dispose();
  }
  return results.ran();
}

/** A protocol that is here and nowhere else cannot be given to a thread. */
function canCross({ protocols = [], against }: ExploreRequest): boolean {
  return [...protocols, against ?? ''].every((each) => typeof each === 'string');
}
