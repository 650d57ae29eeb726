/** Rows of stress results that measured the same thing in the same environment, as one row. */
import type { Estimate } from '../estimate.ts';
import type { AnswerFigures } from '../answer.ts';
import type { ControlResult, FaultCounts, RunMeans, StressRun, Violation } from '../stress.ts';
import { pooledTrust, type Trust } from '../trust.ts';
import { pooledEstimate, type WeightedEstimate } from './estimates.ts';
import { pooledExtras } from './extras.ts';
import { pooledPercentiles } from './percentiles.ts';

/** What rows must share to be pooled; `machine` because a time is that of one machine. */
export function stressRowKey(run: StressRun): string {
  const { scenario, protocol, mutant, cpu, granule, level, vcpus, machine } = run;
  const { scheduling, reorder, access, delays } = run;
  const knobs = Object.entries(cpu).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[scenario, protocol, mutant, knobs, granule, level, vcpus],
    ...[scheduling, reorder, access, delays, machine ?? null],
  ]);
}

/** At least one row. Counts are added; a mean per transition is weighted by transitions. */
export function pooledRow(rows: readonly [StressRun, ...StressRun[]]): StressRun {
  const [first] = rows;
  if (rows.length === 1) return first;
  const sum = (of: (run: StressRun) => number): number =>
    rows.reduce((total, run) => total + of(run), 0);
  const transitions = sum((run) => run.transitions);
  const perTransition = (of: (run: StressRun) => number): number =>
    transitions === 0 ? 0 : sum((run) => of(run) * run.transitions) / transitions;
  const share = pooledEstimate(
    rows.map((run) => ({ estimate: run.hitShare, weight: run.transitions })),
  );
  const ran = rowsThatRan(rows);
  const judged = rows.filter((run) => run.violations.length > 0 && run.exhibit === null);
  return {
    ...first,
    answer: pooledAnswer(ran),
    trust: pooledTrust(rows.map(({ trust }) => trust) as [Trust, ...Trust[]]),
    means: pooledMeans(rows),
    ...pooledExtras(rows),
    repeats: ran.reduce((total, run) => total + (run.repeats ?? 1), 0),
    rounds: sum((run) => run.rounds),
    roundsDropped: sum((run) => run.roundsDropped),
    roundsWarmUp: sum((run) => run.roundsWarmUp),
    transitions,
    transitionsHit: sum((run) => run.transitionsHit),
    hitShare: { ...share, hi: Math.min(1, share.hi) },
    faults: {
      spurious: sum((run) => run.faults.spurious),
      genuine: sum((run) => run.faults.genuine),
      retry: sum((run) => run.faults.retry),
      nt: sum((run) => run.faults.nt),
      conflict: sum((run) => run.faults.conflict),
    },
    faultsUnattributed: sum((run) => run.faultsUnattributed),
    longestRefaultLoop: Math.max(...rows.map((run) => run.longestRefaultLoop)),
    spuriousPerTransition: pooledEstimate(
      rows.map((run) => ({ estimate: run.spuriousPerTransition, weight: run.transitions })),
    ),
    ...pooledRates(ran),
    accesses: {
      issued: sum((run) => run.accesses.issued),
      completed: sum((run) => run.accesses.completed),
      lost: sum((run) => run.accesses.lost),
    },
    windowNs: pooledPercentiles(rows.map((run) => run.windowNs)),
    ntWindowNs: pooledPercentiles(rows.map((run) => run.ntWindowNs)),
    episodeNs: pooledPercentiles(rows.map((run) => run.episodeNs)),
    flushNs: pooledPercentiles(rows.map((run) => run.flushNs)),
    lockNs: pooledPercentiles(rows.map((run) => run.lockNs)),
    throughput: {
      during: meanOfRates(rows, 'during'),
      baseline: meanOfRates(rows, 'baseline'),
    },
    descriptorWrites: perTransition((run) => run.descriptorWrites),
    tlbis: perTransition((run) => run.tlbis),
    refills: perTransition((run) => run.refills),
    verdict: rowVerdict(rows),
    exhibit: judged.length > 0 ? null : (rows.find((run) => run.exhibit !== null)?.exhibit ?? null),
    violations: pooledViolations(rows),
    notes: [...new Set(ran.flatMap((run) => run.notes))],
  };
}

/** One in which nothing ran has nothing to say beside one in which something did. */
function rowsThatRan(
  rows: readonly [StressRun, ...StressRun[]],
): readonly [StressRun, ...StressRun[]] {
  const [first, ...others] = rows.filter(({ transitions }) => transitions > 0);
  return first === undefined ? rows : [first, ...others];
}

function pooledAnswer(rows: readonly [StressRun, ...StressRun[]]): AnswerFigures {
  const [first] = rows;
  const answers = rows.map(({ answer, transitions }) => ({ ...answer, weight: transitions }));
  const lost = answers.flatMap(({ lostNs, weight }) =>
    lostNs === null ? [] : [{ estimate: lostNs, weight }],
  );
  const rates = answers.flatMap(({ walkRate, weight }) =>
    walkRate === null ? [] : [{ estimate: walkRate, weight }],
  );
  return {
    ...first.answer,
    lostNs: pooledLoss(lost),
    walkRate: rates.length === 0 ? null : pooledEstimate(rates),
  };
}

/** Nothing lost in any is nothing lost: the bound is that of the share of transitions hit. */
function pooledLoss(all: readonly WeightedEstimate[]): Estimate | null {
  if (all.length === 0) return null;
  return all.every(({ estimate }) => estimate.value === 0)
    ? { value: 0, lo: 0, hi: 0 }
    : pooledEstimate(all);
}

/** A time counts for the rounds it is of, walks for their transitions. */
function pooledMeans(rows: readonly StressRun[]): RunMeans {
  const rate = (of: 'during' | 'baseline'): Estimate | null => {
    const own = rows.flatMap((run) => {
      const estimate = run.means[of];
      return estimate === null ? [] : [{ estimate, weight: weightOf(run, of) }];
    });
    return own.length === 0 ? null : pooledEstimate(own);
  };
  return {
    during: rate('during'),
    baseline: rate('baseline'),
    refills: pooledEstimate(
      rows.map((run) => ({ estimate: run.means.refills, weight: run.transitions })),
    ),
  };
}

/**
 * A rate counts for the rounds it is of: those of transitions that were undisturbed, or the idle
 * ones among all. Where the row has one, there was such a round.
 */
function weightOf(run: StressRun, of: 'during' | 'baseline'): number {
  return Math.max(1, of === 'during' ? run.trust.facts.roundsKept : run.rounds);
}

function meanOfRates(rows: readonly StressRun[], of: 'during' | 'baseline'): number | null {
  let weighted = 0;
  let weights = 0;
  for (const run of rows) {
    const value = run.throughput[of];
    if (value === null) continue;
    const weight = weightOf(run, of);
    weighted += value * weight;
    weights += weight;
  }
  return weights === 0 ? null : weighted / weights;
}

/**
 * A part in which nothing ran says nothing beside one in which something did; one that ran and was
 * not wholly judged keeps all of it from passing.
 */
function rowVerdict(rows: readonly StressRun[]): StressRun['verdict'] {
  if (rows.some(({ verdict }) => verdict === 'fail')) return 'fail';
  const ran = rows.filter(({ transitions }) => transitions > 0);
  const isPass = ran.length > 0 && ran.every(({ verdict }) => verdict === 'pass');
  return isPass ? 'pass' : 'inconclusive';
}

/** Each weighs as much as it had transitions. */
function pooledRates(
  rows: readonly StressRun[],
): Pick<StressRun, 'faultsPerTransition' | 'sharesOf'> {
  const weights = rows.reduce((sum, { transitions }) => sum + transitions, 0);
  const mean = (kind: keyof FaultCounts): number =>
    weights === 0
      ? 0
      : rows.reduce((sum, run) => sum + run.faultsPerTransition[kind] * run.transitions, 0) /
        weights;
  return {
    faultsPerTransition: {
      spurious: mean('spurious'),
      genuine: mean('genuine'),
      retry: mean('retry'),
      nt: mean('nt'),
      conflict: mean('conflict'),
    },
    sharesOf: rows.every(({ sharesOf }) => sharesOf === 'undisturbed rounds')
      ? 'undisturbed rounds'
      : 'all rounds',
  };
}

export function pooledViolations(rows: readonly StressRun[]): Violation[] {
  const found = new Map<string, Violation>();
  for (const violation of rows.flatMap((run) => run.violations)) {
    const { rule, why, vcpu, ipa, round } = violation;
    const key = JSON.stringify([rule, why, vcpu, ipa, round]);
    const before = found.get(key);
    const count = violation.count + (before?.count ?? 0);
    const seen = seenOf(violation) + (before === undefined ? 0 : seenOf(before));
    found.set(key, { ...(before ?? violation), count, ...(seen > count ? { seen } : {}) });
  }
  return [...found.values()];
}

const seenOf = ({ seen, count }: Violation): number => seen ?? count;

/** Every shard must have proved that its checker can fail: one missed control is a missed one. */
export function pooledControls(all: readonly ControlResult[]): ControlResult[] {
  return [...Map.groupBy(all, ({ name }) => name).values()].flatMap((own) => {
    const worst = own.find((c) => !c.caught || !c.twinClean) ?? own[0];
    return worst === undefined
      ? []
      : [{ ...worst, seconds: Math.max(...own.map((c) => c.seconds)) }];
  });
}
