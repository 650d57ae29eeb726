/** What the searches of an exploration came to, taken in their order. */
import type { Variant } from '../ablation/index.ts';
import { announcedBbm } from '../arch/cpu-model.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import { internalErrorText } from '../report/internal-error.ts';
import type { ExplorePlan, Search } from '../request/explore.ts';
import type { ExploreFailure, ExploreRun } from '../result/explore.ts';
import type { Sequence } from '../sequence/index.ts';
import { type Ablated, cpuTextOf, variantsOn, withAblations } from './ablate.ts';
import { isCut } from './judge.ts';
import { MissingSteps } from './missing-steps.ts';
import type { ExplorationHooks, Ran } from './ran.ts';
import type { SearchDone } from './search-task.ts';

export class Results {
  readonly #plan: ExplorePlan;
  readonly #hooks: ExplorationHooks;
  readonly #runs: ExploreRun[] = [];
  readonly #ablated: Ablated[] = [];
  readonly #failures: ExploreFailure[] = [];
  readonly #missing = new Map<Sequence, MissingSteps>();
  /** By protocol and level. */
  readonly #tried = new Map<string, readonly Variant[]>();

  constructor(plan: ExplorePlan, hooks: ExplorationHooks) {
    this.#plan = plan;
    this.#hooks = hooks;
  }

  searchAt(number: number): Search {
    const search = this.#plan.searches[number];
    if (search === undefined) throw new RangeError(`there is no search ${number}`);
    return search;
  }

  async add(number: number, done: SearchDone): Promise<void> {
    const search = this.searchAt(number);
    const failed = done.is === 'failure' ? await whyFailed(done, search, this.#hooks.signal) : null;
    const run = failed === null ? this.#runOf(search, done) : failed;
    if (typeof run === 'string') {
      const failure = { protocol: search.subject.protocol.name, why: run };
      this.#failures.push(failure);
      this.#hooks.onFailure(failure);
      return;
    }
    this.#runs.push(run);
    this.#hooks.onRun(run, search);
  }

  /** Or why it has none. */
  #runOf(search: Search, done: SearchDone): ExploreRun | string {
    if (done.is === 'failure') return done.why;
    try {
      const run = this.#withMissing(search, done.run);
      if (this.#plan.ablate) {
        const [cpu, bbm] = [cpuTextOf(search), announcedBbm(search.cpu)];
        const tried = this.#triedOf(search);
        this.#ablated.push({ search, cpu, bbm, base: run, variants: done.variants, tried });
      }
      return run;
    } catch (error) {
      return error instanceof ProtocolFailure ? error.message : internalErrorText(error);
    }
  }

  ran(): Ran {
    const [runs, ablated, failures] = [this.#runs, this.#ablated, this.#failures];
    const isWhole =
      runs.length + failures.length === this.#plan.searches.length &&
      runs.every((run) => !isCut(run)) &&
      ablated.every(({ tried, variants }) => variants.length === tried.length);
    return { runs: this.#plan.ablate ? withAblations(ablated) : runs, failures, isWhole };
  }

  /** What a sequence lacks; for one search after the other, as what was found for one helps the next. */
  #withMissing(search: Search, run: ExploreRun): ExploreRun {
    const { sequence } = search.subject;
    if (sequence === null || isCut(run)) return run;
    const missing = this.#missing.get(sequence) ?? new MissingSteps(sequence);
    this.#missing.set(sequence, missing);
    return missing.addTo(search, run);
  }

  #triedOf({ subject, level, granule }: Search): readonly Variant[] {
    const key = JSON.stringify([
      this.#plan.searches.findIndex((s) => s.subject === subject),
      level,
      granule,
    ]);
    const tried = this.#tried.get(key) ?? variantsOn(subject.protocol, level, granule);
    this.#tried.set(key, tried);
    return tried;
  }
}

async function whyFailed(
  { why, isEndless }: SearchDone & { readonly is: 'failure' },
  search: Search,
  signal: AbortSignal,
): Promise<string> {
  const { protocol, file } = search.subject;
  if (file === undefined || !isEndless) return why;
  // Only a thread has a debugger that can be asked where it is.
  const { level, cpu } = search;
  const { endlessLine } = await import('../preflight/endless.ts');
  const task = { name: protocol.name, path: file, levels: [level], granule: '4k' } as const;
  return (await endlessLine({ ...task, cpuOverrides: cpu }, signal)) ?? why;
}
