/** Figures of no common kind, of several rows as one. */
import type { AnswerFigures } from '../answer.ts';
import type { Estimate } from '../estimate.ts';
import { pooledEstimate, pooledMean, type WeightedEstimate } from '../merge/estimates.ts';
import type { MigrationFigures, StageFigures, StressRun } from '../stress.ts';
import { pooledTrust, type Trust } from '../trust.ts';
import type { BlockName } from './blocks.ts';

export type Rows = readonly [StressRun, ...StressRun[]];

/**
 * What becomes of a block; undefined: the row has none. `ran`: of the rows those in which something
 * did, or all: one in which nothing ran has nothing to say beside one in which something did.
 */
type Pooled = (rows: Rows, ran: Rows) => unknown;

export const POOLED_BLOCKS: Readonly<Record<BlockName, Pooled>> = {
  sharesOf: (_rows, ran) =>
    ran.every(({ sharesOf }) => sharesOf === 'undisturbed rounds')
      ? 'undisturbed rounds'
      : 'all rounds',
  stages: pooledStages,
  migration(rows) {
    const all = rows.flatMap(({ migration }) => migration ?? []);
    return all.length === 0 ? undefined : pooledMigrations(all);
  },
  trust: (rows) => pooledTrust(rows.map(({ trust }) => trust) as [Trust, ...Trust[]]),
  answer: (_rows, ran) => pooledAnswer(ran),
};

/** Stages are per run of the test, and a round is one. */
function pooledStages(rows: Rows): readonly StageFigures[] | undefined {
  const [first] = rows.flatMap(({ stages }) => (stages === undefined ? [] : [stages]));
  return first?.map(({ name }): StageFigures => {
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
}

function pooledAnswer(rows: Rows): AnswerFigures {
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
