/** A column of a table of stress runs. */
import type { StressRun } from '../../result/stress.ts';
import type { Column } from '../table.ts';

export type Runs = readonly StressRun[];

export interface RunColumn extends Column {
  /** `window: from … to …`; columns of one group share theirs. No number stands unexplained. */
  readonly legend: string;
}
