/** How far the figures of a row may be relied on: a grade, and every reason against it. Pure. */
import { TAIL_COUNT_MIN } from './distribution.ts';
import type { StressRun } from './stress.ts';

export type Trust = StressRun['trust'];
export type TrustGrade = Trust['grade'];
export type TrustFacts = Trust['facts'];

const ROUNDS_POOR = 10;
const ROUNDS_FAIR = 100;
const DROPPED_POOR = 0.5;
const DROPPED_FAIR = 0.2;

type Reason = readonly [grade: Exclude<TrustGrade, 'good'>, text: string];

export function trustOf(facts: TrustFacts): Trust {
  const reasons = reasonsOf(facts);
  const poor = reasons.filter(([grade]) => grade === 'poor');
  const fair = reasons.filter(([grade]) => grade === 'fair');
  return {
    grade: poor.length > 0 ? 'poor' : fair.length > 0 ? 'fair' : 'good',
    reasons: [...poor, ...fair].map(([, text]) => text),
    facts,
  };
}

/** Of rows that are one: by all of their rounds together. */
export function pooledTrust(all: readonly [Trust, ...Trust[]]): Trust {
  const [first, ...others] = all.map(({ facts }) => facts) as [TrustFacts, ...TrustFacts[]];
  return trustOf(others.reduce(together, first));
}

function together(a: TrustFacts, b: TrustFacts): TrustFacts {
  return {
    rounds: a.rounds + b.rounds,
    roundsKept: a.roundsKept + b.roundsKept,
    roundsDropped: a.roundsDropped + b.roundsDropped,
    preemptionKnown: a.preemptionKnown && b.preemptionKnown,
    scheduled: a.scheduled || b.scheduled,
    unsettled: a.unsettled || b.unsettled,
    collections: a.collections + b.collections,
    windows: a.windows + b.windows,
    episodes: a.episodes + b.episodes,
  };
}

function reasonsOf(f: TrustFacts): Reason[] {
  const found: Reason[] = [];
  if (f.roundsKept < ROUNDS_FAIR) {
    const grade = f.roundsKept < ROUNDS_POOR ? 'poor' : 'fair';
    found.push([grade, `times are of ${f.roundsKept} undisturbed rounds only`]);
  }
  const dropped = f.rounds === 0 ? 0 : f.roundsDropped / f.rounds;
  if (dropped > DROPPED_FAIR) {
    const grade = dropped > DROPPED_POOR ? 'poor' : 'fair';
    found.push([grade, `a thread was preempted in ${Math.round(100 * dropped)} % of rounds`]);
  }
  if (!f.preemptionKnown) found.push(['fair', 'this system does not tell preempted rounds']);
  if (f.scheduled) found.push(['fair', 'vCPUs took turns: not what parallel ones would do']);
  if (f.unsettled) found.push(['fair', 'the warm-up was not seen to settle']);
  if (f.collections > 0)
    found.push(['fair', `garbage was collected in rounds, ${f.collections} times`]);
  for (const [what, count] of [
    ['windows', f.windows],
    ['episodes', f.episodes],
  ] as const) {
    if (count > 0 && count < TAIL_COUNT_MIN)
      found.push(['fair', `${count} ${what}: too few for a p99`]);
  }
  return found;
}
