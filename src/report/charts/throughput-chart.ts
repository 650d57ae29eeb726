/** Guest throughput through transitions, beside that of rounds without any. */
import * as Plot from '@observablehq/plot';
import type { StressRun } from '../../result/stress.ts';
import { significant } from '../numbers.ts';
import { type Chart, marginFor, shortName, subjectOf } from './chart.ts';
import { draw } from './svg.ts';

const ROW_HEIGHT = 24;

/** Millions of accesses per second. */
interface Speeds {
  readonly name: string;
  readonly during: number;
  readonly idle: number | null;
}

/** `runs` are rows of one table. Null if no throughput was measured. */
export function throughputChart(runs: readonly StressRun[]): Chart | null {
  const rows = runs.flatMap((run): Speeds[] => {
    const { during, baseline } = run.throughput;
    if (during === null) return [];
    const idle = baseline === null ? null : baseline / 1e6;
    return [{ name: subjectOf(run), during: during / 1e6, idle }];
  });
  if (rows.length === 0) return null;
  const names = rows.map(({ name }) => name);
  const title = 'Guest throughput during transitions';
  const svg = draw(title, {
    height: 50 + rows.length * ROW_HEIGHT,
    marginLeft: marginFor(names),
    marginRight: 14,
    marginBottom: 36,
    x: { label: 'million accesses per second', grid: true, zero: true, ticks: 5 },
    y: { type: 'band', domain: names, label: null, tickFormat: shortName, padding: 0.3 },
    marks: [
      Plot.barX(rows, {
        y: 'name',
        x: 'during',
        fill: 'var(--accent)',
        fillOpacity: 0.55,
        title: ({ name, during }: Speeds) => `${name}: ${significant(during)} million/s`,
      }),
      Plot.tickX(
        rows.filter(({ idle }) => idle !== null),
        {
          y: 'name',
          x: 'idle',
          stroke: 'var(--mark)',
          strokeWidth: 3,
          title: ({ name, idle }: Speeds) =>
            `${name} without transitions: ${significant(idle ?? 0)} million/s`,
        },
      ),
      Plot.ruleX([0], { stroke: 'var(--soft)' }),
    ],
  });
  return {
    title,
    caption:
      'Bar: accesses of all vCPUs together while the protocol runs, pauses between transitions ' +
      'included. Upright mark: in rounds without transitions, where they were measured.',
    svg,
    columns: ['protocol', 'during, million/s', 'without, million/s', '% of it'],
    rows: rows.map(({ name, during, idle }) => [
      name,
      significant(during),
      idle === null ? '' : significant(idle),
      idle === null || idle === 0 ? '' : significant((100 * during) / idle),
    ]),
  };
}
