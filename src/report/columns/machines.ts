/** Rows of several machines with the machines as columns: what differs between them, at a glance. */
import { tailOf } from '../../result/distribution.ts';
import type { StressRun } from '../../result/stress.ts';
import { grouped, shareText, significant, unitFor } from '../numbers.ts';
import { NOT_MEASURED } from '../not-measured.ts';
import { configurationOf } from '../../result/compare/configuration.ts';
import type { Column } from '../table.ts';

export interface MachineTable {
  /** Configuration, without the machine. */
  readonly title: string;
  readonly columns: readonly Column[];
}

/** One table per configuration; `machines` is how many there are. */
export function machineTables(runs: readonly StressRun[], machines: number): MachineTable[] {
  const groups = Map.groupBy(runs, (run) => {
    const { machine: _, ...rest } = run;
    return configurationOf(rest);
  });
  return [...groups].map(([title, group]) => ({ title, columns: columnsOf(group, machines) }));
}

function columnsOf(runs: readonly StressRun[], machines: number): Column[] {
  const names = [...new Set(runs.map(nameOf))];
  const unit = unitFor(runs.flatMap((run) => run.windowNs?.p50 ?? []));
  const time = (ns: number | null): string => {
    if (ns === null) return '';
    return unit.ns === 1 ? grouped(ns) : significant(ns / unit.ns);
  };
  const indexes = Array.from({ length: machines }, (_, machine) => machine);
  return [
    { group: '', title: 'protocol', align: 'left', cells: names },
    ...indexes.flatMap((machine) => {
      const cells = (cell: (run: StressRun) => string): string[] =>
        names.map((name) => {
          const run = runs.find((r) => nameOf(r) === name && (r.machine ?? 0) === machine);
          return run === undefined ? '' : cell(run);
        });
      const column = (title: string, cell: (run: StressRun) => string): Column => ({
        group: `machine ${machine + 1}`,
        title,
        align: 'right',
        cells: cells(cell),
      });
      return [
        column('verdict', (run) => run.verdict),
        column('hit', (run) => hitText(run)),
        column(`window p50 ${unit.name}`, (run) =>
          run.windowNs === null ? NOT_MEASURED : time(run.windowNs.p50),
        ),
        column(`window p99 ${unit.name}`, (run) =>
          run.windowNs === null ? NOT_MEASURED : time(tailOf(run.windowNs)),
        ),
      ];
    }),
  ];
}

function hitText({ transitions, hitShare }: StressRun): string {
  if (hitShare === null) return NOT_MEASURED;
  return transitions === 0 ? '' : shareText(hitShare);
}

function nameOf(run: StressRun): string {
  return run.mutant === null ? run.protocol : `${run.mutant} (mutant)`;
}
