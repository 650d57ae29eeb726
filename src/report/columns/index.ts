/**
 * The columns of a table of stress runs: who ran, how it was judged, and its figures. A column that has
 * nothing to say in a whole table is not there.
 */
import type { StressRun } from '../../result/stress.ts';
import type { Style } from '../paint.ts';
import type { RunColumn, Runs } from './column.ts';
import { figureColumns } from './figures.ts';

export const EXHIBIT_MARK = '†';
export const SCHEDULED_MARK = '~';

export function runColumns(runs: Runs): readonly RunColumn[] {
  const columns: RunColumn[] = [
    {
      group: '',
      title: 'protocol',
      align: 'left',
      cells: runs.map(nameOf),
      legend: 'protocol: what ran; (mutant) is a seeded bug',
    },
    {
      group: '',
      title: 'verdict',
      align: 'left',
      cells: runs.map(verdictOf),
      style: verdictStyle,
      legend: `verdict: of the rules; ${EXHIBIT_MARK} shown on purpose, not judged`,
    },
    ...figureColumns(runs),
  ];
  return columns.filter((column) => column.cells.some((cell) => cell !== ''));
}

function nameOf(run: StressRun): string {
  const mark = run.scheduling === 'scheduled' ? SCHEDULED_MARK : '';
  return run.mutant === null ? `${run.protocol}${mark}` : `${run.mutant}${mark} (mutant)`;
}

function verdictOf(run: StressRun): string {
  return run.exhibit === null ? run.verdict : `${run.verdict} ${EXHIBIT_MARK}`;
}

function verdictStyle(cell: string): Style | null {
  if (cell.endsWith(EXHIBIT_MARK)) return 'dim';
  return cell === 'pass' ? 'green' : cell === 'fail' ? 'red' : 'yellow';
}
