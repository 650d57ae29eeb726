/** Columns of runs that cancelled migrations: what one cost, from logging off to the last block. */
import type { Estimate } from '../../result/estimate.ts';
import type { StressRun } from '../../result/stress.ts';
import { significant, unitFor } from '../numbers.ts';
import type { RunColumn } from './column.ts';

const LEGENDS = {
  coalesce: 'per cancel, coalesce: time from dirty logging off to the last block in place',
  faults: 'per cancel, faults: of any kind, all vCPUs together, in that time',
  lost: 'per cancel, accesses lost: as many as idle guests make in that time, less those made',
};

export function migrationColumns(runs: readonly StressRun[]): RunColumn[] {
  const cancels = runs.map((run) => run.migration?.cancel ?? null);
  const unit = unitFor(cancels.flatMap((cancel) => cancel?.coalesceNs.value ?? []));
  const column = (
    title: string,
    legend: string,
    of: (cancel: NonNullable<(typeof cancels)[number]>) => string,
  ): RunColumn => ({
    group: 'per cancel',
    title,
    align: 'right',
    legend,
    cells: cancels.map((cancel) => (cancel === null ? '' : of(cancel))),
  });
  return [
    column(`coalesce ${unit.name}`, LEGENDS.coalesce, (c) => estimated(c.coalesceNs, unit.ns)),
    column('faults', LEGENDS.faults, (c) => estimated(c.faults, 1)),
    column('accesses lost', LEGENDS.lost, (c) =>
      c.accessesLost === null ? '' : estimated(c.accessesLost, 1),
    ),
  ];
}

function estimated({ value, lo, hi }: Estimate, unit: number): string {
  const text = (n: number): string => significant(n / unit);
  return `${text(value)} [${text(lo)}, ${text(hi)}]`;
}
