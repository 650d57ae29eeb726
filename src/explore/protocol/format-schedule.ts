/**
 * A schedule as text, one column per thread, one line per step:
 *
 *     #  hypervisor                              vcpu 0
 *     1  write entry = invalid (bits kept)
 *     2                                          walk page 0: entry is invalid (bits kept)
 *     3                                          fault load page 0: translation, level 2
 */
import type { ExploreStep } from '../../result/explore.ts';

/** Columns are as wide as their longest text; the last one may be any. */
export function formatSchedule(steps: readonly ExploreStep[]): string {
  const threads = [...new Set(steps.map(({ thread }) => thread))].toSorted();
  const textOf = ({ op, detail }: ExploreStep): string =>
    ['dsb', 'isb', 'tlbi'].includes(op) ? detail : `${op} ${detail}`;
  const widths = threads.map((thread) =>
    Math.max(
      thread.length,
      ...steps.filter((step) => step.thread === thread).map((step) => textOf(step).length),
    ),
  );
  const line = (number: string, cells: readonly string[]): string =>
    [number.padStart(3), ...cells.map((cell, i) => cell.padEnd(widths[i] ?? 0))]
      .join('  ')
      .trimEnd();
  const rows = steps.map((step, i) =>
    line(
      `${i + 1}`,
      threads.map((thread) => (thread === step.thread ? textOf(step) : '')),
    ),
  );
  return [line('#', threads), ...rows].join('\n');
}
