/** Columns of runs with a second VM on the same vCPU threads. */
import type { StressRun } from '../result/stress.ts';
import { compact, significant } from './numbers.ts';
import type { RunColumn } from './run-columns.ts';

const LEGENDS = {
  accesses: 'second VM, accesses: made by it between two entries of the VM under test',
  refills: 'second VM, refills: of its TLB entry, per transition of the VM under test',
};

export function neighbourColumns(runs: readonly StressRun[]): RunColumn[] {
  const column = (
    title: string,
    legend: string,
    of: (run: StressRun, neighbour: NonNullable<StressRun['neighbour']>) => string,
  ): RunColumn => ({
    group: 'second VM',
    title,
    align: 'right',
    legend,
    cells: runs.map((run) => (run.neighbour === undefined ? '' : of(run, run.neighbour))),
  });
  return [
    column('accesses', LEGENDS.accesses, (_, { accesses }) => compact(accesses)),
    column('refills', LEGENDS.refills, (run, { refills }) =>
      run.transitions === 0 ? '' : significant(refills / run.transitions),
    ),
  ];
}
