/**
 * Does a setting that exists to make rare bugs frequent do so? Each mutant that is to be caught
 * under `--reorder` only runs with and without it, over the same number of rounds of one transition
 * each and the same seeds; a round counts as a detection if a thread saw a sign of an expected rule
 * in it. A setting earns its place if it makes one mutant at least three times as easy to see. Pure.
 */
import { assert } from '../arch/assert.ts';
import type { Mutant } from '../mutants/index.ts';
import type { AmplificationResult, AmplificationRun, DetectionRate } from '../result/selftest.ts';
import type { HuntSetting } from '../stress/campaign/hunt.ts';
import { type Case, flagsOf } from './cases.ts';
import { wilson } from './wilson.ts';

export const RATIO_MIN = 3;

export const AMPLIFIERS = ['reorder'] as const;
export type Amplifier = (typeof AMPLIFIERS)[number];

export interface Variant {
  readonly amplifier: Amplifier;
  readonly setting: HuntSetting;
}

/** One mutant: what it is like without help, and the settings that claim to help. */
export interface Comparison {
  readonly hunted: Case;
  readonly without: HuntSetting;
  readonly variants: readonly Variant[];
  readonly seeds: readonly number[];
  readonly rounds: number;
}

/** Mutants that nothing a thread sees gives away are left out: there is no moment to widen. */
export function comparisonsOf(
  cases: readonly Case[],
  seeds: readonly number[],
  rounds: number,
): readonly Comparison[] {
  const amplified = cases.filter(
    ({ mutant, column, why, by }) =>
      why === null && by === 'observation' && column === 'stress-reorder' && !isSeenPlainly(mutant),
  );
  const groups = Map.groupBy(amplified, ({ mutant, setting, cpu }) =>
    JSON.stringify([mutant.name, withoutHelp(setting), cpu]),
  );
  return [...groups.values()].map((group) => {
    const [hunted] = group;
    assert(hunted !== undefined, 'a group has a case');
    return {
      hunted,
      without: withoutHelp(hunted.setting),
      variants: group.flatMap(variantsOf),
      seeds,
      rounds,
    };
  });
}

/**
 * Reordering is for what program order hides; where a mutant must be caught without it as well, it
 * is no help, and not meant as one.
 */
function isSeenPlainly({ caughtBy }: Mutant): boolean {
  return caughtBy.some(({ engine, by }) => engine === 'stress' && by !== 'operations');
}

function withoutHelp(setting: HuntSetting): HuntSetting {
  return { ...setting, reorder: false };
}

function variantsOf({ setting }: Case): readonly Variant[] {
  return [{ amplifier: 'reorder', setting: { ...setting, reorder: true } }];
}

/** Adds up the seeds of one side. */
export class Count {
  transitions = 0;
  readonly detectionsBySeed: number[] = [];

  add(transitions: number, detections: number): void {
    this.transitions += transitions;
    this.detectionsBySeed.push(detections);
  }

  get detections(): number {
    return this.detectionsBySeed.reduce((sum, n) => sum + n, 0);
  }

  /** With a share of 0 to 1 and its interval. */
  toRate(): DetectionRate {
    const { transitions, detections, detectionsBySeed } = this;
    const rate = wilson(detections, transitions);
    return { transitions, detections, detectionsBySeed, rate };
  }
}

/** Seen so often without help, a bug cannot become three times as visible. */
export function isSaturated({ transitions, detections }: Count): boolean {
  return detections * RATIO_MIN > transitions;
}

export function amplificationRun(
  { hunted }: Comparison,
  variant: Variant,
  helped: Count,
  plain: Count,
  unfinished: string | null,
): AmplificationRun {
  const withRate = helped.toRate();
  const withoutRate = plain.toRate();
  const { rate } = withoutRate;
  return {
    setting: variant.amplifier,
    mutant: hunted.mutant.name,
    flags: flagsOf(variant.setting),
    with: withRate,
    without: withoutRate,
    ratio: rate.value === 0 ? null : withRate.rate.value / rate.value,
    ratioAtLeast: withRate.rate.lo / rate.hi,
    effect: isSaturated(plain) ? 'saturated' : isMore(withRate, withoutRate) ? 'amplified' : 'none',
    unfinished: unfinished ?? (isFair(helped, plain) || isSaturated(plain) ? null : UNFAIR),
  };
}

/**
 * Detections come in bursts, when the threads happen to run side by side, and a burst is one stroke
 * of luck: the interval takes it for many. So each seed, a run of its own, has to agree.
 */
function isMore(helped: DetectionRate, plain: DetectionRate): boolean {
  const agree = helped.detectionsBySeed.every(
    (n, i) => n > 0 && n >= RATIO_MIN * (plain.detectionsBySeed[i] ?? 0),
  );
  const triples = helped.detections >= RATIO_MIN * plain.detections;
  return triples && agree && helped.rate.lo > plain.rate.hi;
}

const UNFAIR = 'the two sides did not get the same number of transitions';

function isFair(helped: Count, plain: Count): boolean {
  return helped.transitions === plain.transitions && plain.transitions > 0;
}

/** Which settings amplify nothing, of those that `wanted` names. */
export function judgeAmplification(
  runs: readonly AmplificationRun[],
  wanted: readonly Amplifier[],
): AmplificationResult {
  const useless = wanted.flatMap((setting) => {
    const own = runs.filter((run) => run.setting === setting);
    if (own.some((run) => run.unfinished === null && run.effect === 'amplified')) return [];
    return [{ setting, why: whyUseless(own) }];
  });
  return { runs, useless };
}

function whyUseless(own: readonly AmplificationRun[]): string {
  if (own.length === 0) return 'no mutant is for it';
  const open = own.filter((run) => run.effect !== 'saturated');
  if (open.length === 0) return 'all mutants it is for are seen as easily without it';
  const best = open.toSorted((a, b) => b.with.rate.value - a.with.rate.value)[0];
  const most = Math.max(...open.map((run) => run.ratio ?? 0));
  const seen = open.some((run) => run.with.detections > 0);
  if (!seen) return `none of ${open.length} mutants was ever seen with it`;
  return most === 0
    ? `${best?.mutant} was seen too rarely to tell`
    : `at most ${most.toFixed(1)} times as many detections`;
}
