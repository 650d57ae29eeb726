/**
 * A schedule as text: one line per step, one column per thread; and, where it is wanted, why each step
 * may be so.
 *
 *     #  hypervisor                  vcpu 0                                 why
 *     1  write entry = invalid                                              the break: walks fault …
 *     2                              walk page 0: entry is invalid          walked when it is needed …
 *   ! 3                              fault load page 0: translation, …      it took a Translation fault …
 */
import type { ExploreStep } from '../../result/explore.ts';
import { wrap } from '../wrap.ts';

export interface ScheduleLayout {
  /** Columns for the whole table with a reason for each step; absent: no reasons. */
  readonly columns?: number;
  /** Index of the step that breaks a rule: it is marked. */
  readonly broken?: number;
}

/** Narrower ones hold too few words a line to be read. */
const WHY_COLUMNS_MIN = 40;

/** Operations whose detail says what they are. */
const BARE = new Set(['dsb', 'dmb', 'isb', 'tlbi']);

const GAP = '  ';

/** Columns are as wide as their longest text; the last one may be any. */
export function formatSchedule(steps: readonly ExploreStep[], layout: ScheduleLayout = {}): string {
  const threads = [...new Set(steps.map(({ thread }) => thread))].toSorted();
  const textOf = ({ op, detail }: ExploreStep): string =>
    BARE.has(op) ? detail : `${op} ${detail}`;
  const widths = threads.map((thread) =>
    Math.max(
      thread.length,
      ...steps.filter((step) => step.thread === thread).map((step) => textOf(step).length),
    ),
  );
  const digits = Math.max(3, String(steps.length).length);
  const line = (number: string, cells: readonly string[], why: string): string =>
    [number.padStart(digits), ...cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)), why]
      .join(GAP)
      .trimEnd();
  const rows = steps.flatMap((step, i) => {
    const number = `${i === layout.broken ? '! ' : ''}${i + 1}`;
    const cells = threads.map((thread) => (thread === step.thread ? textOf(step) : ''));
    const [first = '', ...rest] = whyLines(step, widths, layout);
    return [
      line(number, cells, first),
      ...rest.map((more) =>
        line(
          '',
          threads.map(() => ''),
          more,
        ),
      ),
    ];
  });
  const title = layout.columns === undefined ? '' : 'why';
  return [line('#', threads, title), ...rows].join('\n');
}

function whyLines(
  { why }: ExploreStep,
  widths: readonly number[],
  layout: ScheduleLayout,
): string[] {
  if (layout.columns === undefined || why === undefined) return [];
  const used = widths.reduce((sum, width) => sum + width + GAP.length, 3 + GAP.length);
  return wrap(why, Math.max(WHY_COLUMNS_MIN, layout.columns - used));
}
