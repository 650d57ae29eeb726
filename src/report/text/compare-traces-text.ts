/** Judged logs side by side, so that what two kernels do differently can be seen. */
import type { SeenSequence, TraceRun } from '../../result/check-trace.ts';
import { grouped } from '../numbers.ts';
import { type Column, renderTable } from '../table.ts';
import { traceStatistics } from './trace-statistics.ts';
import { visibleLine } from '../visible.ts';

export function compareTraces(runs: readonly TraceRun[], columnsMax: number): string {
  const rows = [
    { name: 'verdict', cells: runs.map(({ verdict }) => verdict) },
    { name: 'events', cells: runs.map(({ events }) => grouped(events)) },
    { name: 'entries', cells: runs.map(({ entries }) => grouped(entries)) },
    {
      name: 'findings',
      cells: runs.map(({ violations }) => grouped(violations.reduce((n, v) => n + v.count, 0))),
    },
    ...traceStatistics(runs),
  ];
  const columns: Column[] = [
    { group: '', title: 'compared', align: 'left', cells: rows.map(({ name }) => name) },
    ...runs.map(({ file }, i): Column => ({
      group: '',
      title: visibleLine(shortName(file)),
      align: 'right',
      cells: rows.map(({ cells }) => cells[i] ?? ''),
    })),
  ];
  return [...renderTable(columns, columnsMax), '', ...sequenceLines(runs), ''].join('\n');
}

/** Each sequence once, with its count in every log. */
function sequenceLines(runs: readonly TraceRun[]): string[] {
  const texts = new Set(runs.flatMap(({ sequences }) => sequences.map(sequenceText)));
  return [...texts].map((text) => {
    const counts = runs.map(({ sequences }) =>
      grouped(sequences.find((sequence) => sequenceText(sequence) === text)?.count ?? 0),
    );
    return `${counts.join(' : ')} times  ${text}`;
  });
}

function sequenceText({ kind, level, steps }: SeenSequence): string {
  return `${kind} at level ${level}: ${steps.join('; ')}`;
}

function shortName(file: string): string {
  return file.split(/[/\\]/).at(-1) ?? file;
}
