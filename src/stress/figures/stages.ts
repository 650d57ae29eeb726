/** The stages of kvm_page_table_test, from the rows of its rounds: pure. */
import type { StageFigures } from '../../result/stress.ts';
import { STAGES } from '../../scenarios/index.ts';
import { ROW, STAGE_FIELDS, stageField } from '../results/results-area.ts';
import { meanOverRounds } from '../statistics/index.ts';

/** A field of the rounds that times are taken from, round by round. */
interface Rounds {
  column(field: number): Float64Array;
}

/** `sum` of a field is over all rounds. Undefined where there are no stages. */
export function stagesOf(
  sum: (field: number) => number,
  rounds: Rounds,
  seed: number,
): readonly StageFigures[] | undefined {
  const runs = sum(ROW.round);
  if (sum(stageField(0, STAGE_FIELDS.ns)) === 0) return undefined;
  return STAGES.map((name, i): StageFigures => {
    const perRun = (field: number): number => sum(stageField(i, field)) / runs;
    return {
      name,
      ns: meanOverRounds(rounds.column(stageField(i, STAGE_FIELDS.ns)), seed),
      faults: {
        spurious: perRun(STAGE_FIELDS.spurious),
        genuine: perRun(STAGE_FIELDS.genuine),
        retry: perRun(STAGE_FIELDS.retry),
      },
    };
  });
}
