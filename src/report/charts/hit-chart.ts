/** The share of transitions that faulted at least one vCPU, by number of vCPUs. */
import * as Plot from '@observablehq/plot';
import type { StressRun } from '../../result/stress.ts';
import { counted, grouped, shareText } from '../numbers.ts';
import { NOT_MEASURED } from '../not-measured.ts';
import { type Chart, distinct, marginFor, shortName, subjectOf } from './chart.ts';
import { draw } from './svg.ts';

const ROW_HEIGHT = 22;

/** `runs` differ in protocol and number of vCPUs only. Null if none has a share to draw. */
export function hitChart(runs: readonly StressRun[]): Chart | null {
  const shown = runs.filter((run) => run.transitions > 0).sort((a, b) => a.vcpus - b.vcpus);
  if (shown.every(({ hitShare }) => hitShare === null)) return null;
  const counts = distinct(shown.map(({ vcpus }) => vcpus));
  // Protocols below their number of vCPUs, which is a row of its own without a mark.
  const rows = counts.flatMap((vcpus): Row[] => [
    { key: `${vcpus}`, label: counted(vcpus, 'vCPU'), isHeading: true },
    ...shown.filter((run) => run.vcpus === vcpus).map(rowOf),
  ]);
  const labels = new Map(rows.map(({ key, label }) => [key, label]));
  const marks = rows.flatMap(({ key, share }) => (share ? [{ key, ...share }] : []));
  const headings = rows.filter(({ isHeading }) => isHeading);
  const protocols = rows.filter(({ isHeading }) => !isHeading);
  const labelled = {
    label: null,
    tickSize: 0,
    tickFormat: (key: string) => shortName(labels.get(key) ?? key),
  };
  const title = 'Transitions that faulted a vCPU';
  const svg = draw(title, {
    height: 52 + rows.length * ROW_HEIGHT,
    marginLeft: marginFor(rows.map(({ label }) => label)),
    marginRight: 14,
    marginBottom: 36,
    x: { domain: [0, 100], label: '% of transitions', grid: true, ticks: 5 },
    y: { axis: null, type: 'point', domain: rows.map(({ key }) => key), padding: 0.6 },
    marks: [
      Plot.axisY(protocols.map(keyOf), labelled),
      Plot.axisY(headings.map(keyOf), { ...labelled, fontWeight: 'bold' }),
      Plot.ruleY(marks, {
        y: 'key',
        x1: 'lo',
        x2: 'hi',
        stroke: 'var(--accent)',
        strokeWidth: 4,
        strokeOpacity: 0.45,
      }),
      Plot.dot(marks, {
        y: 'key',
        x: 'value',
        r: 4,
        stroke: 'var(--accent)',
        strokeWidth: 2,
        fill: ({ value }: { value: number }) => (value === 0 ? 'var(--ground)' : 'var(--accent)'),
        title: 'text',
      }),
    ],
    color: { type: 'identity' },
  });
  return {
    title,
    caption: shown.some(({ hitShare }) => hitShare === null)
      ? `${NOT_MEASURED}: not measured; the table above says why.`
      : '',
    svg,
    columns: ['protocol', 'vCPUs', 'transitions', 'hit, with 95 % interval'],
    rows: shown.map((run) => [
      subjectOf(run),
      String(run.vcpus),
      grouped(run.transitions),
      run.hitShare === null ? NOT_MEASURED : shareText(run.hitShare),
    ]),
  };
}

interface Row {
  readonly key: string;
  readonly label: string;
  /** A number of vCPUs, over its protocols. */
  readonly isHeading: boolean;
  /** Per cent, with its interval; absent: not measured. */
  readonly share?: {
    readonly value: number;
    readonly lo: number;
    readonly hi: number;
    /** With its row, for whoever points at it. */
    readonly text: string;
  };
}

const keyOf = ({ key }: Row): string => key;

function rowOf(run: StressRun): Row {
  const { hitShare: measured } = run;
  const label = subjectOf(run);
  const key = `${run.vcpus} ${label}`;
  if (measured === null) return { key, label: `${label} ${NOT_MEASURED}`, isHeading: false };
  const { value, lo, hi } = measured;
  return {
    key,
    label,
    isHeading: false,
    share: {
      value: value * 100,
      lo: lo * 100,
      hi: Math.min(1, hi) * 100,
      text: `${label}, ${counted(run.vcpus, 'vCPU')}: ${shareText(measured)}`,
    },
  };
}

export const HIT_CAPTION =
  'Dot: share; bar: 95 % interval over rounds and repeats. A hollow dot is none at all, and its bar ' +
  'ends at the most that would still fit.';
