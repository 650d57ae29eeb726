/** A terminal that remembers what was printed, for tests of commands. */
import { PLAIN } from '../../src/report/paint.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

export interface MemoryTerminal extends Terminal {
  readonly printed: { out: string; err: string };
}

export function memoryTerminal(): MemoryTerminal {
  const printed = { out: '', err: '' };
  const err = (text: string): void => void (printed.err += text);
  return {
    printed,
    out: (text) => void (printed.out += text),
    err,
    data: (text) => void (printed.out += text),
    dataOnly() {
      return { ...this, out: err };
    },
    paint: PLAIN,
    columns: 160,
    progress: null,
  };
}
