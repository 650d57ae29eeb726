/**
 * `selftest` from plan to outcome. First what must be done once (searches of the explorer, a first
 * look at every mutant under stress and a chase after those it did not see, the correct protocols),
 * then again the mutants nobody has seen yet, then the other seeds, as far as the time goes.
 */
import { setImmediate } from 'node:timers/promises';
import type { AmplificationRun, InnocentRun, SelftestRun } from '../result/selftest.ts';
import type { Comparison } from './amplification.ts';
import {
  CHASE_MS_MIN,
  chaseMs,
  chasePieces,
  FIRST_CHASE_SHARE,
  innocentsMs,
  lookMs,
  repeatMs,
} from './budget.ts';
import type { Case } from './cases.ts';
import type { Engines } from './engines.ts';
import type { InnocentGroup } from './innocents.ts';
import { Tally } from './tally.ts';

export interface SelftestPlan {
  readonly cases: readonly Case[];
  readonly innocents: readonly InnocentGroup[];
  readonly seeds: readonly number[];
  readonly timeMs: number;
  /** Also try the engines that need not catch a mutant. */
  readonly triesAll: boolean;
}

export interface SelftestProgress {
  readonly doneMs: number;
  readonly budgetMs: number | null;
  /** Of the mutants and engines that must catch them. */
  readonly caught: number;
  readonly expected: number;
  /** What runs now, for people. */
  readonly label: string;
}

export interface SelftestHooks {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SelftestProgress) => void;
  /** Milliseconds of any clock that does not jump. */
  readonly now: () => number;
}

export interface KillTable {
  readonly runs: readonly SelftestRun[];
  readonly innocents: readonly InnocentRun[];
}

const OUT_OF_TIME = 'the time was up before it could be looked at for long';
const INTERRUPTED = 'interrupted';

export async function runSelftest(
  plan: SelftestPlan,
  engines: Engines,
  hooks: SelftestHooks,
): Promise<KillTable> {
  const run = new SelftestWork(plan, engines, hooks);
  await run.searchModel();
  await run.acquit('explore');
  await run.lookAtEach();
  await run.chaseUnseen(FIRST_CHASE_SHARE);
  await run.acquit('stress');
  await run.chaseToTheEnd();
  await run.repeatWithOtherSeeds();
  if (plan.triesAll) await run.tryTheRest();
  return run.toTable();
}

class SelftestWork {
  readonly #plan: SelftestPlan;
  readonly #engines: Engines;
  readonly #hooks: SelftestHooks;
  readonly #startedMs: number;
  readonly #firstSeed: number;
  readonly #tallies: readonly Tally[];
  /** Those an engine must catch. */
  readonly #owed: readonly Tally[];
  readonly #innocents: InnocentRun[] = [];
  /** Hunted, not caught, and not yet given all the time there is. */
  #unseen = new Set<Tally>();

  constructor(plan: SelftestPlan, engines: Engines, hooks: SelftestHooks) {
    this.#plan = plan;
    this.#engines = engines;
    this.#hooks = hooks;
    this.#startedMs = hooks.now();
    this.#firstSeed = plan.seeds[0] ?? 0;
    this.#tallies = plan.cases.map((subject) => new Tally(subject));
    this.#owed = this.#tallies.filter(({ subject }) => subject.why === null);
  }

  async searchModel(): Promise<void> {
    for (const tally of this.#owedBy('explore')) await this.#search(tally);
  }

  /** All correct protocols of one engine, each group with a share of the time. */
  async acquit(engine: Case['engine']): Promise<void> {
    const groups = this.#plan.innocents.filter((group) => group.engine === engine);
    let membersLeft = groups.reduce((n, group) => n + group.innocents.length, 0);
    for (const group of groups) {
      const members = group.innocents.length;
      if (await this.#mayGoOn(`correct protocols under ${engine} ${group.flags}`)) {
        const budgetMs = innocentsMs(this.#leftMs(), members, membersLeft);
        const runs = await this.#engines.acquit(group, this.#firstSeed, budgetMs);
        this.#innocents.push(...runs);
      } else if (!this.#hooks.signal.aborted) {
        this.#innocents.push(...unjudged(group));
      }
      membersLeft -= members;
    }
  }

  async lookAtEach(): Promise<void> {
    const hunted = this.#owedBy('stress');
    for (const [i, tally] of hunted.entries()) {
      await this.#hunt(tally, this.#firstSeed, lookMs(this.#leftMs(), hunted.length - i));
    }
    this.#unseen = new Set(hunted.filter((tally) => !tally.isSettled));
  }

  /** As far as this share of the time that is left goes. */
  async chaseUnseen(share: number): Promise<void> {
    const keptMs = this.#leftMs() * (1 - share);
    for (const tally of [...this.#unseen]) {
      const leftMs = this.#leftMs() - keptMs;
      if (leftMs < CHASE_MS_MIN) return;
      await this.#chase(tally, chaseMs(leftMs, this.#unseen.size));
      if (tally.isSettled) this.#unseen.delete(tally);
    }
  }

  /** Only who is still unseen after this has survived. */
  async chaseToTheEnd(): Promise<void> {
    for (const tally of [...this.#unseen]) {
      if (this.#leftMs() < CHASE_MS_MIN) return;
      await this.#chase(tally, chaseMs(this.#leftMs(), this.#unseen.size));
      this.#unseen.delete(tally);
    }
  }

  async repeatWithOtherSeeds(): Promise<void> {
    for (const seed of this.#plan.seeds.slice(1)) {
      // The order of operations does not depend on a seed: once seen is enough.
      const again = this.#owedBy('stress').filter(
        ({ subject, isCaught, hasFailed }) =>
          !hasFailed && !(isCaught && subject.by === 'operations'),
      );
      for (const tally of again) await this.#hunt(tally, seed, repeatMs(tally.slowestMs));
    }
  }

  /** Engines that need not catch a mutant, in case they do. */
  async tryTheRest(): Promise<void> {
    for (const tally of this.#tallies.filter(({ subject }) => subject.why !== null)) {
      if (tally.subject.engine === 'explore') await this.#search(tally);
      else await this.#hunt(tally, this.#firstSeed, lookMs(this.#leftMs(), 1));
    }
  }

  toTable(): KillTable {
    const runs = this.#tallies.map((tally) => tally.toRun(this.#cutShort(tally)));
    return { runs, innocents: this.#innocents };
  }

  async #chase(tally: Tally, ms: number): Promise<void> {
    const { seeds } = this.#plan;
    for (const [i, pieceMs] of chasePieces(ms).entries()) {
      await this.#hunt(tally, seeds[i % seeds.length] as number, pieceMs);
      if (tally.isSettled) return;
    }
  }

  #cutShort(tally: Tally): string | null {
    if (this.#hooks.signal.aborted) return INTERRUPTED;
    return tally.wasTried && !this.#unseen.has(tally) ? null : OUT_OF_TIME;
  }

  #owedBy(engine: Case['engine']): Tally[] {
    return this.#owed.filter(({ subject }) => subject.engine === engine);
  }

  #leftMs(): number {
    return this.#plan.timeMs - (this.#hooks.now() - this.#startedMs);
  }

  /** False: interrupted, or out of time. */
  async #mayGoOn(label: string): Promise<boolean> {
    this.#hooks.onProgress({
      doneMs: this.#hooks.now() - this.#startedMs,
      budgetMs: this.#plan.timeMs,
      caught: this.#owed.filter((tally) => tally.isCaught).length,
      expected: this.#owed.length,
      label,
    });
    // A search blocks: this is where an interruption is heard.
    await setImmediate();
    return !this.#hooks.signal.aborted && this.#leftMs() > 0;
  }

  async #search(tally: Tally): Promise<void> {
    if (!(await this.#mayGoOn(`explore ${tally.subject.mutant.name}`))) return;
    tally.add(await this.#engines.search(tally.subject, this.#leftMs()));
  }

  async #hunt(tally: Tally, seed: number, budgetMs: number): Promise<void> {
    const { column, mutant } = tally.subject;
    if (!(await this.#mayGoOn(`${column} ${mutant.name}`))) return;
    tally.add(await this.#engines.hunt(tally.subject, seed, Math.min(budgetMs, this.#leftMs())));
  }
}

function unjudged({ innocents, engine, flags }: InnocentGroup): readonly InnocentRun[] {
  return innocents.map(({ protocol }) => ({
    protocol: protocol.name,
    engine,
    setting: flags,
    accusations: [],
    work: 0,
    unfinished: OUT_OF_TIME,
  }));
}

/** With and without each setting, one mutant after the other. */
export async function runComparisons(
  comparisons: readonly Comparison[],
  engines: Engines,
  hooks: SelftestHooks,
): Promise<readonly AmplificationRun[]> {
  const startedMs = hooks.now();
  const runs: AmplificationRun[] = [];
  for (const [i, comparison] of comparisons.entries()) {
    hooks.onProgress({
      doneMs: hooks.now() - startedMs,
      budgetMs: null,
      caught: i,
      expected: comparisons.length,
      label: `with and without: ${comparison.hunted.mutant.name}`,
    });
    await setImmediate();
    if (hooks.signal.aborted) break;
    runs.push(...(await engines.compare(comparison)));
  }
  return runs;
}
