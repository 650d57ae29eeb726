/**
 * A schedule as text: one line per step, one column per thread; and, where it is wanted, why each step
 * may be so.
 *
 *     #  hypervisor                  vcpu 0                                 why
 *     1  write entry = invalid                                              the break: walks fault …
 *     2                              walk page 0: entry is invalid          walked when it is needed …
 *   ! 3                              fault load page 0: translation, …      it took a Translation fault …
 *
 * Where that is too wide, threads share the room there is, and reasons stand below their steps.
 */
import type { ExploreStep } from '../../result/explore.ts';
import { wrap } from '../wrap.ts';

export interface ScheduleLayout {
  /** Columns for the whole table; absent: as many as it takes. */
  readonly columns?: number;
  /** With a reason for each step. */
  readonly reasons?: true;
  /** Index of the step that breaks a rule: it is marked. */
  readonly broken?: number;
}

/** Narrower ones hold too few words a line to be read. */
const WHY_COLUMNS_MIN = 40;
const THREAD_COLUMNS_MIN = 16;

/** Operations whose detail says what they are. */
const BARE = new Set(['dsb', 'dmb', 'isb', 'tlbi']);

const GAP = '  ';

export function formatSchedule(steps: readonly ExploreStep[], layout: ScheduleLayout = {}): string {
  const threads = [...new Set(steps.map(({ thread }) => thread))].toSorted();
  const { columns = Number.POSITIVE_INFINITY, reasons = false } = layout;
  const numbers = steps.map(stepNumber);
  const digits = Math.max(3, ...numbers.map((number) => number.length));
  const room = columns - digits - GAP.length;
  const widths = shared(
    threads.map((thread) =>
      Math.max(
        thread.length,
        ...steps.filter((step) => step.thread === thread).map((step) => stepText(step).length),
      ),
    ),
    room,
  );
  const left = room - total(widths);
  const beside = reasons && left >= WHY_COLUMNS_MIN;
  const row = (number: string, cells: readonly string[], why: string): string =>
    [number.padStart(digits), ...cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)), why]
      .join(GAP)
      .trimEnd();
  const rowsOf = (step: ExploreStep, i: number): string[] => {
    const at = threads.indexOf(step.thread);
    const texts = wrap(stepText(step), widths[at] ?? columns);
    const why = reasons ? (step.why ?? '') : '';
    const aside = beside && why !== '' ? wrap(why, left) : [];
    const number = `${i === layout.broken ? '! ' : ''}${numbers[i] ?? ''}`;
    const lines = Array.from({ length: Math.max(texts.length, aside.length) }, (_, n) =>
      row(
        n === 0 ? number : '',
        threads.map((_, k) => (k === at ? (texts[n] ?? '') : '')),
        aside[n] ?? '',
      ),
    );
    return beside || why === '' ? lines : [...lines, ...below(why, digits, columns)];
  };
  return [row('#', threads, beside ? 'why' : ''), ...steps.flatMap(rowsOf)].join('\n');
}

/** `DSB ISHST`, `write entry = invalid`. */
export function stepText({ op, detail }: ExploreStep): string {
  return BARE.has(op) ? detail : `${op} ${detail}`;
}

/** No line of what is still to come is longer; with its indent it has 80 columns. */
const TO_COME_COLUMNS = 76;

/** `still to come: DSB ISH, ISB, …`: for each thread that has more to do a line, or as much as fits. */
export function toComeLines(
  steps: readonly ExploreStep[],
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const byThread = [...Map.groupBy(steps, ({ thread }) => thread)];
  const room = Math.min(columns, TO_COME_COLUMNS);
  return byThread.map(([thread, own]) => {
    const whose = byThread.length > 1 || thread !== 'hypervisor' ? ` of ${thread}` : '';
    const texts = own.map(stepText);
    const lead = `still to come${whose}: `;
    for (let shown = texts.length; ; shown--) {
      const rest = shown < texts.length ? [`${texts.length - shown} more`] : [];
      const line = `${lead}${[...texts.slice(0, shown), ...rest].join(', ')}`;
      if (shown <= 1 || line.length <= room) return line;
    }
  });
}

/** As sentences cite it. */
export function stepNumber({ number }: ExploreStep, at: number): string {
  return number === null ? '' : String(number ?? at + 1);
}

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width + GAP.length, 0);

/** The widest threads give way until all fit. */
function shared(widths: readonly number[], room: number): readonly number[] {
  const made = [...widths];
  while (total(made) - GAP.length > room) {
    const widest = made.indexOf(Math.max(...made));
    if ((made[widest] ?? 0) <= THREAD_COLUMNS_MIN) break;
    made[widest] = (made[widest] ?? 0) - 1;
  }
  return made;
}

/** `     | because …`: a reason that has no room beside its step. */
function below(why: string, digits: number, columns: number): string[] {
  const lead = `${' '.repeat(digits + GAP.length)}| `;
  return wrap(why, columns - lead.length).map((line) => lead + line);
}
