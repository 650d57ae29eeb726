/** The checker's own test: what the engines catch, what they let pass, and what helps them. */
import { setImmediate } from 'node:timers/promises';
import type { Engine, Mutant } from '../mutants/index.ts';
import { PROTOCOLS } from '../protocols/index.ts';
import type { InnocentRun } from '../result/selftest.ts';
import { pinsFor } from '../stress/process/pinning.ts';
import type { Pinning } from '../stress/plan/plan.ts';
import { createThreadPool } from '../stress/group/pool.ts';
import { EXPLORE_BOUNDS } from '../explore/protocol/index.ts';
import {
  type Amplifier,
  AMPLIFIERS,
  type Comparison,
  comparisonsOf,
  judgeAmplification,
} from './amplification.ts';
import { type Case, casesOf } from './cases.ts';
import type { Engines, ExploreCommandProblem } from './engines.ts';
import { searchInnocent, searchMutant } from './explore-engine.ts';
import { innocentGroups } from './innocents.ts';
import { runComparisons, runSelftest, type SelftestHooks } from './run.ts';
import { createStressEngine, type StressEngine } from './stress-engine.ts';
import type { Outcome } from './verdict.ts';

export { AMPLIFICATION_ROUNDS, SELFTEST_MS, SELFTEST_SEEDS } from './budget.ts';
export type { ExploreCommandProblem } from './engines.ts';
export type { SelftestHooks, SelftestProgress } from './run.ts';
export { gradeSelftest, type Outcome } from './verdict.ts';

export interface SelftestOptions {
  readonly mutants: readonly Mutant[];
  /** Only some mutants were asked for: of the correct protocols their twins run, and no others. */
  readonly isPartial: boolean;
  readonly columns: readonly Engine[];
  /** At least one. */
  readonly seeds: readonly number[];
  readonly timeMs: number;
  readonly triesAll: boolean;
  /** Instead of the kill table: what `--reorder` is worth, in so many rounds per seed. */
  readonly amplificationRounds: number | null;
  readonly pin: Pinning;
  readonly exploreProblem: ExploreCommandProblem;
}

export async function selftest(options: SelftestOptions, hooks: SelftestHooks): Promise<Outcome> {
  const cases = casesOf(options.mutants, options.columns);
  const threads = 1 + Math.max(1, ...cases.map(({ setting }) => setting.vcpus));
  const pool = await createThreadPool();
  const stress = createStressEngine({
    pool,
    pins: pinsFor(options.pin, threads),
    exploreProblem: options.exploreProblem,
    hooks: { signal: hooks.signal, onTick: () => {} },
  });
  const engines = enginesOf(stress, hooks.signal);
  try {
    return options.amplificationRounds === null
      ? await killTable(options, cases, engines, hooks)
      : await amplification(options, cases, engines, options.amplificationRounds, hooks);
  } finally {
    await pool.destroy();
  }
}

async function killTable(
  { isPartial, seeds, timeMs, triesAll }: SelftestOptions,
  cases: readonly Case[],
  engines: Engines,
  hooks: SelftestHooks,
): Promise<Outcome> {
  const innocents = innocentGroups(cases, isPartial ? [] : PROTOCOLS);
  const table = await runSelftest({ cases, innocents, seeds, timeMs, triesAll }, engines, hooks);
  return { ...table, amplification: null, interrupted: hooks.signal.aborted };
}

async function amplification(
  options: SelftestOptions,
  cases: readonly Case[],
  engines: Engines,
  rounds: number,
  hooks: SelftestHooks,
): Promise<Outcome> {
  const comparisons = comparisonsOf(cases, options.seeds, rounds);
  const runs = await runComparisons(comparisons, engines, hooks);
  const interrupted = hooks.signal.aborted;
  // What was not compared to an end is not useless.
  const wanted = interrupted ? [] : amplifiersOf(comparisons);
  return { runs: [], innocents: [], amplification: judgeAmplification(runs, wanted), interrupted };
}

/** What must prove itself: whatever some mutant is to be caught with. */
function amplifiersOf(comparisons: readonly Comparison[]): readonly Amplifier[] {
  const used = new Set(
    comparisons.flatMap(({ variants }) => variants.map(({ amplifier }) => amplifier)),
  );
  return AMPLIFIERS.filter((amplifier) => used.has(amplifier));
}

/** Correct protocols go to the engine of their group. */
function enginesOf(stress: StressEngine, signal: AbortSignal): Engines {
  return {
    ...stress,
    search: (searched, budgetMs) => Promise.resolve(searchMutant(searched, budgetMs)),
    async acquit(group, seed, budgetMs) {
      if (group.engine === 'stress') return stress.acquit(group, seed, budgetMs);
      const runs: InnocentRun[] = [];
      for (const innocent of group.innocents) {
        // A search blocks: this is where an interruption is heard.
        await setImmediate();
        if (signal.aborted) break;
        runs.push(searchInnocent(group, innocent, EXPLORE_BOUNDS.timeMs));
      }
      return runs;
    },
  };
}
