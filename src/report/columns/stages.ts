/** Columns of kvm_page_table_test: its three stages side by side, as its output lines have them. */
import type { StageFigures, StressRun } from '../../result/stress.ts';
import { significant, unitFor } from '../numbers.ts';
import type { RunColumn } from './column.ts';

const KINDS = ['spurious', 'genuine', 'retry'] as const;

export function stageColumns(runs: readonly StressRun[]): RunColumn[] {
  const names = runs.flatMap((run) => run.stages?.map((stage) => stage.name) ?? []);
  return [...new Set(names)].flatMap((name) => columnsOf(name, runs));
}

function columnsOf(name: StageFigures['name'], runs: readonly StressRun[]): RunColumn[] {
  const stages = runs.map((run) => run.stages?.find((stage) => stage.name === name));
  const unit = unitFor(stages.flatMap((stage) => stage?.ns.value ?? []));
  const column = (
    title: string,
    legend: string,
    of: (stage: StageFigures) => string,
  ): RunColumn => ({
    group: `${name} ${unit.name}`,
    title,
    align: 'right',
    legend,
    cells: stages.map((stage) => (stage === undefined ? '' : of(stage))),
  });
  const faults = KINDS.filter((kind) => stages.some((stage) => (stage?.faults[kind] ?? 0) > 0));
  return [
    column('total', `${name}: total execution time of the stage, of all vCPUs`, ({ ns }) =>
      significant(ns.value / unit.ns),
    ),
    ...faults.map((kind) =>
      column(kind, `stage faults: by kind, all vCPUs together, per run of the test`, (stage) =>
        significant(stage.faults[kind]),
      ),
    ),
  ];
}
