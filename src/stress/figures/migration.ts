/** What a migration took, from the rows of its rounds: pure. */
import type { MigrationFigures } from '../../result/stress.ts';
import { ROW } from '../results/results-area.ts';
import { rateOverRounds, ratioOverRounds } from '../statistics/index.ts';

/** A field of the rounds that times are taken from, round by round. */
interface Rounds {
  column(field: number): Float64Array;
}

/**
 * `sum` of a field is over all rounds; `rounds` are null if none of them says what a cancel takes; `idle`
 * is the accesses per second with nothing going on. Undefined where no migration was begun.
 */
export function migrationOf(
  sum: (field: number) => number,
  rounds: Rounds | null,
  idle: number | null,
  seed: number,
): MigrationFigures | undefined {
  const count = sum(ROW.migrations);
  if (count === 0) return undefined;
  return {
    count,
    pagesSent: sum(ROW.pagesSent) / count,
    loggingFaults: sum(ROW.loggingFaults) / count,
    cancel: rounds === null || sum(ROW.cancels) === 0 ? null : cancelOf(rounds, idle, seed),
  };
}

function cancelOf(
  rounds: Rounds,
  idle: number | null,
  seed: number,
): NonNullable<MigrationFigures['cancel']> {
  const cancels = rounds.column(ROW.cancels);
  const ns = rounds.column(ROW.cancelNs);
  const made = rounds.column(ROW.cancelAccesses);
  return {
    coalesceNs: rateOverRounds(ns, cancels, seed),
    faults: rateOverRounds(rounds.column(ROW.cancelFaults), cancels, seed),
    accessesLost:
      idle === null
        ? null
        : ratioOverRounds(
            ns.map((time, i) => (time / 1e9) * idle - (made[i] as number)),
            cancels,
            seed,
          ),
  };
}
