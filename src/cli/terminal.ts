/**
 * Where a command writes: results to standard output, progress and errors to standard error. Colour
 * and redrawn lines only where a person is looking; a pipe gets plain text.
 */
import { styleText } from 'node:util';
import type { Paint } from '../report/paint.ts';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Colours for text on standard output. */
  readonly paint: Paint;
  /** Columns a report may use. */
  readonly columns: number;
  /** Where a progress line may be redrawn; null if nobody is looking. */
  readonly progress: NodeJS.WriteStream | null;
}

/**
 * Tables keep within these whatever the window: narrower ones cannot be read, wider ones neither.
 */
const COLUMNS_MIN = 120;
const COLUMNS_MAX = 160;

export function processTerminal(noColor: boolean): Terminal {
  const { stdout, stderr, env } = process;
  const colour = stdout.isTTY && !noColor && (env['NO_COLOR'] ?? '') === '';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    paint: colour
      ? (style, text) => styleText(style, text, { validateStream: false })
      : (_style, text) => text,
    columns: stdout.isTTY
      ? Math.min(Math.max(stdout.columns, COLUMNS_MIN), COLUMNS_MAX)
      : COLUMNS_MAX,
    progress: stderr.isTTY ? stderr : null,
  };
}
