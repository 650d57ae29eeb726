/**
 * One table of protocols for each configuration, so that what stands side by side may be compared.
 */
import { configurationOf } from '../result/compare/configuration.ts';
import type { StressRun } from '../result/stress.ts';
import { counted, grouped } from './numbers.ts';
import { missingNotes } from './not-measured.ts';
import type { Paint } from './paint.ts';
import { EXHIBIT_MARK, runColumns, SCHEDULED_MARK } from './columns/index.ts';
import { renderTable } from './table.ts';
import { trustNotes } from './text/trust-text.ts';

export interface RunTables {
  readonly lines: readonly string[];
  /** One line for each column that is shown anywhere, in the order of columns. */
  readonly legend: readonly string[];
}

export function runTables(
  runs: readonly StressRun[],
  cores: number,
  columnsMax: number,
  paint: Paint,
): RunTables {
  const lines: string[] = [];
  const legend = new Set<string>();
  for (const group of Map.groupBy(runs, configurationOf).values()) {
    const columns = runColumns(group);
    lines.push('', paint('bold', configurationOf(group[0] as StressRun)));
    lines.push(...renderTable(columns, columnsMax, paint));
    lines.push(...notesOf(group, cores).map((note) => `  ${note}`));
    for (const column of columns) legend.add(column.legend);
  }
  return { lines, legend: [...legend] };
}

/** What a table needs beside its columns: exhibits, vCPUs in turns, rounds left out. */
export function notesOf(runs: readonly StressRun[], cores: number): string[] {
  const notes: string[] = [];
  for (const run of runs) {
    if (run.exhibit === null) continue;
    const seen = run.violations.map(
      (violation) => `${violation.rule} ${grouped(violation.count)} times`,
    );
    const what = seen.length === 0 ? 'nothing was seen this time' : `seen: ${seen.join(', ')}`;
    notes.push(`${EXHIBIT_MARK} ${run.protocol} is an exhibit: ${run.exhibit}; ${what}`);
  }
  const scheduled = runs.find((run) => run.scheduling === 'scheduled');
  if (scheduled) {
    notes.push(
      `${SCHEDULED_MARK} vCPUs take turns: ${scheduled.vcpus} on ${counted(cores, 'core')}`,
    );
  }
  const dropped = runs.filter((run) => run.roundsDropped > 0);
  if (dropped.length > 0) {
    const each = dropped.map(
      (run) => `${run.mutant ?? run.protocol} ${grouped(run.roundsDropped)}`,
    );
    const kept = dropped.some((run) => run.sharesOf !== 'all rounds');
    const what = kept ? 'times, hit and faults' : 'times';
    notes.push(`rounds left out of ${what} because a thread was preempted: ${each.join(', ')}`);
  }
  const ofAll = runs.filter((run) => run.sharesOf === 'all rounds' && run.transitions > 0);
  if (ofAll.length > 0) {
    const names = ofAll.map((run) => run.mutant ?? run.protocol).join(', ');
    notes.push(`hit and faults are of all rounds, too few being undisturbed: ${names}`);
  }
  notes.push(...missingNotes(runs), ...trustNotes(runs));
  return notes;
}
