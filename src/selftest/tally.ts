/** What became of one case: its attempts, and the row of the kill table they come to. Pure. */
import { assert } from '../arch/assert.ts';
import { type Rule, RULES } from '../result/rule.ts';
import type { SelftestAttempt, SelftestRun } from '../result/selftest.ts';
import type { Case } from './cases.ts';
import type { Attempted } from './engines.ts';

type Done = Extract<Attempted, { readonly kind: 'done' }>;

export class Tally {
  readonly subject: Case;
  readonly #done: Done[] = [];
  #failure: string | null = null;

  constructor(subject: Case) {
    this.subject = subject;
  }

  add(attempted: Attempted): void {
    if (attempted.kind === 'done') this.#done.push(attempted);
    else if (attempted.kind === 'failed') this.#failure ??= attempted.why;
  }

  /** Nothing more needs to be tried, for a first verdict. */
  get isSettled(): boolean {
    return this.#failure !== null || this.isCaught;
  }

  get isCaught(): boolean {
    return this.#done.some(({ fired }) => fired !== null);
  }

  get wasTried(): boolean {
    return this.#done.length > 0;
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** The longest that a successful attempt took; 0 before there is one. */
  get slowestMs(): number {
    const caught = this.#done.filter(({ fired }) => fired !== null);
    return Math.max(0, ...caught.map(({ attempt }) => attempt.seconds * 1000));
  }

  /**
   * `cutShort`: why no more attempts were made, where that is not because it was done. A case that
   * was caught before is done.
   */
  toRun(cutShort: string | null): SelftestRun {
    const { mutant, column, engine, flags, by, rules: expectedRules, why } = this.subject;
    const attempts = this.#done.map(({ attempt }) => attempt);
    const caught = this.#done.filter(({ fired }) => fired !== null);
    const fired = caught[0]?.fired ?? null;
    const stopped = this.#failure ?? (fired === null ? cutShort : null);
    return {
      mutant: mutant.name,
      rule: mutant.rule,
      engine,
      column,
      setting: flags,
      by,
      expectedRules,
      expected: why === null ? 'caught' : 'missed',
      observed: fired === null ? 'missed' : 'caught',
      seconds: medianSeconds(caught.length > 0 ? caught.map((c) => c.attempt) : attempts),
      firedRule: fired,
      wrongRule: why === null ? worstOf(attempts, expectedRules) : null,
      attempts,
      reportProblems: [...new Set(caught.flatMap((c) => c.reportProblems))],
      why,
      // An engine that need not catch the mutant owes nothing, not even an attempt.
      unfinished: why === null ? stopped : null,
    };
  }
}

function medianSeconds(attempts: readonly SelftestAttempt[]): number {
  const sorted = attempts.map(({ seconds }) => seconds).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function worstOf(attempts: readonly SelftestAttempt[], expected: readonly string[]): Rule | null {
  const fired = new Set(attempts.flatMap(({ rules }) => rules));
  assert(
    [...fired].every((rule) => RULES.includes(rule)),
    'only known rules fire',
  );
  return RULES.find((rule) => fired.has(rule) && !expected.includes(rule)) ?? null;
}
