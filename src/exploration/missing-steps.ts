/** What a plain sequence lacks on each CPU: asked of the explorer, change by change. */
import { exploreProtocol } from '../explore/protocol/index.ts';
import { breaksByItself } from '../explore/protocol/play.ts';
import type { Protocol } from '../port/protocol.ts';
import type { ExploreRun, MissingStep } from '../result/explore.ts';
import {
  type Fix,
  type Judge,
  leastOf,
  repaired,
  repairOf,
  type Sequence,
  sequenceProtocol,
} from '../sequence/index.ts';
import type { Search } from '../request/explore.ts';

/** How long one search of a repair may take: small sequences take a tenth of a second. */
const REPAIR_MS = 10_000;

/** One sequence on several CPUs: what was found for one is tried first for the next. */
export class MissingSteps {
  readonly #sequence: Sequence;
  /** By what was wrong. */
  readonly #found = new Map<string, readonly Fix[]>();

  constructor(sequence: Sequence) {
    this.#sequence = sequence;
  }

  /** The run with what is missing, if it is violated. */
  addTo(search: Search, run: ExploreRun): ExploreRun {
    if (run.verdict !== 'violated') return run;
    const isRight = (sequence: Sequence): boolean => judge(search, sequence) === null;
    const wrong = signOf(run);
    const fixes = this.#knownFor(wrong, isRight) ?? this.#searched(isRight);
    if (fixes === null) return { ...run, missing: null };
    this.#found.set(wrong, fixes);
    return { ...run, missing: fixes.map((fix) => this.#stepOf(search, fix, fixes)) };
  }

  #knownFor(wrong: string, isRight: Judge): readonly Fix[] | null {
    const known = this.#found.get(wrong);
    return known === undefined ? null : this.#leastIfRight(known, isRight);
  }

  /**
   * The changes of another CPU where they do and are no dearer: two CPUs that are named two changes, of
   * which one is enough for both, would have a reader make both.
   */
  #searched(isRight: Judge): readonly Fix[] | null {
    const own = repairOf(this.#sequence, isRight);
    if (own === null) return null;
    for (const known of this.#found.values()) {
      const least = priceOf(known) <= priceOf(own) ? this.#leastIfRight(known, isRight) : null;
      if (least !== null) return least;
    }
    return own;
  }

  #leastIfRight(fixes: readonly Fix[], isRight: Judge): readonly Fix[] | null {
    const does = isRight(repaired(this.#sequence, fixes));
    return does ? leastOf(this.#sequence, fixes, isRight) : null;
  }

  #stepOf(search: Search, fix: Fix, fixes: readonly Fix[]): MissingStep {
    const others = fixes.filter((other) => other !== fix);
    const broken = judge(search, repaired(this.#sequence, others));
    const { line, column } = fix.at;
    const { rule = null, why = '' } = broken?.violations[0] ?? {};
    return { line, column, fix: fix.text, rule, why };
  }
}

/** In operations: a break is dearer than a barrier. */
function priceOf(fixes: readonly Fix[]): number {
  return fixes.reduce((sum, { actions }) => sum + actions.length, 0);
}

/** CPUs on which the same is wrong with the operations need the same. */
function signOf({ violations }: ExploreRun): string {
  const whys = violations.map(({ rule, by, why }) => (by === 'operations' ? why : rule));
  return JSON.stringify(whys).replaceAll(/BBM level \d/g, 'BBM level');
}

/** Null if it is safe there. */
function judge(search: Search, sequence: Sequence): ExploreRun | null {
  const { cpu, level, granule, regions, vcpus, scenario, accesses } = search;
  const protocol: Protocol = sequenceProtocol(sequence);
  const asked = { protocol, cpu, level, granule, regions, vcpus, scenario, accesses };
  const isWrong = breaksByItself(protocol, cpu, level, scenario, granule);
  // Where the operations say it, what vCPUs may see of it need not be searched.
  const bounds = { timeMs: REPAIR_MS, ...(isWrong ? { states: 1 } : {}) };
  const run = exploreProtocol({ ...asked, bounds });
  return run.verdict === 'safe' ? null : run;
}
