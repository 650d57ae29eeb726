/** Rows of stress results that measured the same thing in the same environment, as one row. */
import type { Estimate, FaultCounts } from '../estimate.ts';
import type { ControlResult, StressRun, Violation } from '../stress.ts';
import { pooledTrust } from '../trust.ts';
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
  // Only what all of them say is said of them together.
  const { means: _means, answer: _answer, trust: _trust, ...rest } = first;
  const ran = rowsThatRan(rows);
  const judged = rows.filter((run) => run.violations.length > 0 && run.exhibit === null);
  return {
    ...rest,
    ...pooledAnswer(ran),
    ...trustOfAll(rows),
    ...pooledMeans(rows),
    ...pooledExtras(rows),
    repeats: ran.reduce((total, run) => total + (run.repeats ?? 1), 0),
    rounds: sum((run) => run.rounds),
    roundsDropped: sum((run) => run.roundsDropped),
    roundsWarmUp: sum((run) => run.roundsWarmUp ?? 0),
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
    ...longestLoop(rows),
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
function rowsThatRan(rows: readonly StressRun[]): readonly StressRun[] {
  const ran = rows.filter(({ transitions }) => transitions > 0);
  return ran.length > 0 ? ran : rows;
}

function longestLoop(rows: readonly StressRun[]): Pick<StressRun, 'longestRefaultLoop'> {
  const all = rows.flatMap(({ longestRefaultLoop }) => longestRefaultLoop ?? []);
  return all.length === 0 ? {} : { longestRefaultLoop: Math.max(...all) };
}

/** None if one of them does not say. */
function pooledAnswer(rows: readonly StressRun[]): Pick<StressRun, 'answer'> {
  const answers = rows.flatMap(({ answer, transitions }) =>
    answer === undefined ? [] : [{ ...answer, weight: transitions }],
  );
  const [first] = answers;
  if (first === undefined || answers.length < rows.length) return {};
  const lost = answers.flatMap(({ lostNs, weight }) =>
    lostNs === null ? [] : [{ estimate: lostNs, weight }],
  );
  const rates = answers.flatMap(({ walkRate, weight }) =>
    walkRate === null ? [] : [{ estimate: walkRate, weight }],
  );
  return {
    answer: {
      kind: first.kind,
      lostNs: pooledLoss(lost),
      walkRate: rates.length === 0 ? null : pooledEstimate(rates),
      cost: first.cost,
    },
  };
}

/** Nothing lost in any is nothing lost: the bound is that of the share of transitions hit. */
function pooledLoss(all: readonly WeightedEstimate[]): Estimate | null {
  if (all.length === 0) return null;
  return all.every(({ estimate }) => estimate.value === 0)
    ? { value: 0, lo: 0, hi: 0 }
    : pooledEstimate(all);
}

function trustOfAll(rows: readonly StressRun[]): Pick<StressRun, 'trust'> {
  const [first, ...others] = rows.flatMap(({ trust }) => trust ?? []);
  return first === undefined || others.length + 1 < rows.length
    ? {}
    : { trust: pooledTrust([first, ...others]) };
}

/** A time counts for the rounds it is of, walks for their transitions. */
function pooledMeans(rows: readonly StressRun[]): Pick<StressRun, 'means'> {
  const all = rows.flatMap((run) => (run.means === undefined ? [] : [{ run, means: run.means }]));
  if (all.length < rows.length) return {};
  const rate = (of: 'during' | 'baseline'): Estimate | null => {
    const own = all.flatMap(({ run, means }) => {
      const estimate = means[of];
      return estimate === null ? [] : [{ estimate, weight: weightOf(run, of) }];
    });
    return own.length === 0 ? null : pooledEstimate(own);
  };
  return {
    means: {
      during: rate('during'),
      baseline: rate('baseline'),
      refills: pooledEstimate(
        all.map(({ run, means }) => ({ estimate: means.refills, weight: run.transitions })),
      ),
    },
  };
}

/**
 * A rate counts for the rounds it is of: those of transitions that were undisturbed, or the idle
 * ones among all. Where the row has one, there was such a round.
 */
function weightOf(run: StressRun, of: 'during' | 'baseline'): number {
  // Without these facts rounds that were dropped in the warm-up are subtracted twice.
  const kept =
    run.trust?.facts?.roundsKept ?? run.rounds - run.roundsDropped - (run.roundsWarmUp ?? 0);
  return Math.max(1, of === 'during' ? kept : run.rounds);
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

/** Each weighs as much as it had transitions; none if one of them does not say. */
function pooledRates(
  rows: readonly StressRun[],
): Pick<StressRun, 'faultsPerTransition' | 'sharesOf'> {
  const all = rows.flatMap(({ faultsPerTransition: rates, transitions }) =>
    rates === undefined ? [] : [{ rates, transitions }],
  );
  const weights = all.reduce((sum, { transitions }) => sum + transitions, 0);
  const mean = (kind: keyof FaultCounts): number =>
    weights === 0
      ? 0
      : all.reduce((sum, { rates, transitions }) => sum + rates[kind] * transitions, 0) / weights;
  if (all.length < rows.length) return {};
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
