/** Rows of stress results that measured the same thing in the same environment, as one row. */
import { pooledFigures } from '../figures/pool.ts';
import { type Measured, missingFigures, whyNotMeasured } from '../figures/not-measured.ts';
import type { Rows } from '../figures/pool-blocks.ts';
import type { ControlResult, StressRun, Violation } from '../stress.ts';

/** What rows must share to be pooled; `machine` because a time is that of one machine. */
export function stressRowKey(run: StressRun): string {
  const { scenario, protocol, mutant, cpu, granule, level, vcpus, machine } = run;
  const { scheduling, reorder, access, delays, against = null } = run;
  const knobs = Object.entries(cpu).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[scenario, protocol, mutant, knobs, granule, level, vcpus],
    ...[scheduling, reorder, access, delays, machine ?? null, against],
  ]);
}

/** At least one row. */
export function pooledRow(rows: Rows): StressRun {
  const [first] = rows;
  if (rows.length === 1) return first;
  const ran = rowsThatRan(rows);
  const { notMeasured: _ofFirst, ...rest } = first;
  const figures = pooledFigures(rows, ran);
  const judged = rows.filter((run) => run.violations.length > 0 && run.exhibit === null);
  return {
    ...rest,
    ...figures,
    ...pooledReasons(figures, rows),
    repeats: ran.reduce((total, run) => total + (run.repeats ?? 1), 0),
    verdict: rowVerdict(rows),
    exhibit: judged.length > 0 ? null : (rows.find((run) => run.exhibit !== null)?.exhibit ?? null),
    violations: pooledViolations(rows),
    notes: [...new Set(ran.flatMap((run) => run.notes))],
  };
}

/** Why what none of them measured was not: each reason once. */
function pooledReasons(figures: Pick<StressRun, 'hitShare'>, rows: Rows): Measured {
  const reasons = missingFigures(figures).map(({ path }) => {
    const why = new Set(rows.flatMap((run) => whyNotMeasured(run, path) ?? []));
    return [path.join('.'), [...why].join('; ')] as const;
  });
  return reasons.length === 0 ? {} : { notMeasured: Object.fromEntries(reasons) };
}

/** One in which nothing ran has nothing to say beside one in which something did. */
function rowsThatRan(rows: Rows): Rows {
  const [first, ...others] = rows.filter(({ transitions }) => transitions > 0);
  return first === undefined ? rows : [first, ...others];
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
