/**
 * One line on a terminal that says how far a campaign is. Redrawn in place, gone when it ends,
 * never in a pipe.
 */
import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';
import { grouped, seconds } from '../report/numbers.ts';
import type { SelftestProgress } from '../selftest/run.ts';
import type { StressProgress } from '../stress/plan/plan.ts';

/** Ten times a second is as often as an eye can use. */
const REDRAW_MS = 100;

export interface Progress<P = StressProgress> {
  update(progress: P): void;
  /** Takes the line away, so that something else can be printed; at the end for good. */
  clear(): void;
}

const NOBODY_LOOKS = Object.freeze({ update: () => {}, clear: () => {} });

export function showProgress(
  stream: WriteStream | null,
  now: () => number = () => performance.now(),
): Progress {
  return show(stream, now, progressLine);
}

export function showSelftestProgress(
  stream: WriteStream | null,
  now: () => number = () => performance.now(),
): Progress<SelftestProgress> {
  return show(stream, now, selftestProgressLine);
}

/** Whatever a command wants to say. */
export function showText(
  stream: WriteStream | null,
  now: () => number = () => performance.now(),
): Progress<string> {
  return show(stream, now, (text, columns) => text.slice(0, Math.max(0, columns - 1)));
}

function show<P>(
  stream: WriteStream | null,
  now: () => number,
  line: (progress: P, columns: number) => string,
): Progress<P> {
  if (stream === null) return NOBODY_LOOKS;
  let drawnMs = Number.NEGATIVE_INFINITY;
  const clear = (): void => {
    cursorTo(stream, 0);
    clearLine(stream, 0);
  };
  return {
    update: (progress) => {
      if (now() - drawnMs < REDRAW_MS) return;
      drawnMs = now();
      clear();
      stream.write(line(progress, stream.columns));
    },
    clear,
  };
}

/** At most `columns - 1` wide: a line that wraps cannot be taken back. */
export function progressLine(p: StressProgress, columns: number): string {
  const parts = [
    timeText(p),
    `${grouped(p.rounds)} rounds`,
    `${grouped(p.faults)} faults`,
    `${grouped(p.violations)} violations`,
  ];
  return [...parts, p.label].join('  ').slice(0, Math.max(0, columns - 1));
}

export function selftestProgressLine(p: SelftestProgress, columns: number): string {
  const parts = [timeText(p), `${grouped(p.caught)} of ${grouped(p.expected)} caught`, p.label];
  return parts.join('  ').slice(0, Math.max(0, columns - 1));
}

function timeText({ doneMs, budgetMs }: { doneMs: number; budgetMs: number | null }): string {
  return budgetMs === null
    ? `${seconds(doneMs)} so far`
    : `${seconds(Math.max(0, budgetMs - doneMs))} left`;
}
