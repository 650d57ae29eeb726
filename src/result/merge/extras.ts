/** The figures that only rows of some scenarios have, of several rows as one. */
import type { Estimate } from '../estimate.ts';
import type { MigrationFigures, StageFigures, StressRun } from '../stress.ts';
import { pooledEstimate, pooledMean, type WeightedEstimate } from './estimates.ts';

export function pooledExtras(
  rows: readonly StressRun[],
): Pick<StressRun, 'stages' | 'neighbour' | 'migration'> {
  const neighbours = rows.flatMap((run) => run.neighbour ?? []);
  const migrations = rows.flatMap((run) => run.migration ?? []);
  return {
    ...(neighbours.length > 0 && {
      neighbour: {
        accesses: sumOf(neighbours, (one) => one.accesses),
        refills: sumOf(neighbours, (one) => one.refills),
        rollovers: sumOf(neighbours, (one) => one.rollovers),
      },
    }),
    ...(migrations.length > 0 && { migration: pooledMigrations(migrations) }),
    ...pooledStages(rows),
  };
}

/** Stages are per run of the test, and a round is one. */
function pooledStages(rows: readonly StressRun[]): Pick<StressRun, 'stages'> {
  const [first] = rows.flatMap(({ stages }) => (stages === undefined ? [] : [stages]));
  if (first === undefined) return {};
  const stages = first.map(({ name }): StageFigures => {
    const own = rows.flatMap(({ stages: all, rounds }) =>
      (all ?? []).filter((stage) => stage.name === name).map((stage) => ({ stage, rounds })),
    );
    const rounds = sumOf(own, (one) => one.rounds);
    const mean = (of: (stage: StageFigures) => number): number =>
      rounds === 0 ? 0 : sumOf(own, (one) => of(one.stage) * one.rounds) / rounds;
    return {
      name,
      ns: pooledEstimate(own.map((one) => ({ estimate: one.stage.ns, weight: one.rounds }))),
      faults: {
        spurious: mean(({ faults }) => faults.spurious),
        genuine: mean(({ faults }) => faults.genuine),
        retry: mean(({ faults }) => faults.retry),
      },
    };
  });
  return { stages };
}

type Cancel = NonNullable<MigrationFigures['cancel']>;

function pooledMigrations(all: readonly MigrationFigures[]): MigrationFigures {
  const count = sumOf(all, (one) => one.count);
  const mean = (of: (one: MigrationFigures) => number): number =>
    count === 0 ? 0 : sumOf(all, (one) => of(one) * one.count) / count;
  const pooled = (
    of: (cancel: Cancel) => Estimate | null,
    by: (parts: readonly WeightedEstimate[]) => Estimate,
  ): Estimate | null => {
    const parts = all.flatMap(({ cancel, count: weight }) => {
      const estimate = cancel === null ? null : of(cancel);
      return estimate === null ? [] : [{ estimate, weight }];
    });
    return parts.length === 0 ? null : by(parts);
  };
  const coalesceNs = pooled((cancel) => cancel.coalesceNs, pooledEstimate);
  const faults = pooled((cancel) => cancel.faults, pooledEstimate);
  const accessesLost = pooled((cancel) => cancel.accessesLost, pooledMean);
  return {
    count,
    pagesSent: mean((one) => one.pagesSent),
    loggingFaults: mean((one) => one.loggingFaults),
    cancel: coalesceNs && faults && { coalesceNs, faults, accessesLost },
  };
}

function sumOf<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}
