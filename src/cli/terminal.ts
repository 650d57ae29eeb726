/**
 * Where a command writes: results to standard output, progress and errors to standard error. Colour
 * and redrawn lines only where a person is looking; a pipe gets plain text.
 */
import { styleText } from 'node:util';
import { fold } from '../report/fold.ts';
import { type Paint, PLAIN } from '../report/paint.ts';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** To standard output, whatever `out` does: a result for a program. */
  data(text: string): void;
  /**
   * Standard output for `data` alone: everything else that anybody in this process prints goes to
   * standard error from now on.
   */
  dataOnly(): Terminal;
  /** Colours for text on standard output. */
  readonly paint: Paint;
  /** Columns a report may use. */
  readonly columns: number;
  /** Where a progress line may be redrawn; null if nobody is looking. */
  readonly progress: NodeJS.WriteStream | null;
}

/** Whatever the window: narrower tables cannot be read, wider ones neither. */
const COLUMNS_MIN = 60;
const COLUMNS_MAX = 160;

/** The width of a report: what COLUMNS says, or the window has; null in a pipe, where nothing is folded. */
export function columnsWanted(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  asked: string | undefined,
): number | null {
  const wanted = /^[1-9]\d{0,4}$/.test(asked ?? '') ? Number(asked) : isTTY ? columns : undefined;
  return wanted === undefined ? null : Math.min(Math.max(wanted, COLUMNS_MIN), COLUMNS_MAX);
}

/** What a command prints, as it comes, with its lines folded. */
export function folding(columns: number | null, write: (text: string) => void): Terminal['out'] {
  return columns === null ? write : (text) => write(fold(text, columns));
}

export function processTerminal(noColor: boolean): Terminal {
  const { stdout, stderr, env } = process;
  const colour = stdout.isTTY && !noColor && (env['NO_COLOR'] ?? '') === '';
  const write = stdout.write.bind(stdout);
  const columns = columnsWanted(stdout, env['COLUMNS']);
  const err = (text: string): void => void stderr.write(text);
  const data = (text: string): void => void write(text);
  return {
    out: folding(columns, (text) => void stdout.write(text)),
    err,
    data,
    dataOnly() {
      // A protocol may print, too, here or in a thread.
      stdout.write = stderr.write.bind(stderr);
      return { ...this, out: err, paint: PLAIN };
    },
    paint: colour
      ? (style, text) => styleText(style, text, { validateStream: false })
      : (_style, text) => text,
    columns: columns ?? COLUMNS_MAX,
    progress: stderr.isTTY ? stderr : null,
  };
}
