/**
 * A command of the program in this process, as somebody at a terminal of 80 columns sees it. For pages of
 * documentation, and for the test that holds the pages to what is printed today.
 */
import { dispatch } from '../../src/cli/dispatch.ts';
import { folding, type Terminal } from '../../src/cli/terminal.ts';
import { PLAIN } from '../../src/report/paint.ts';

export const COLUMNS = 80;

export async function printedBy(args: readonly string[]): Promise<string> {
  let text = '';
  const print = (more: string): void => void (text += more);
  const terminal: Terminal = {
    out: folding(COLUMNS, print),
    err: print,
    data: print,
    dataOnly: () => terminal,
    paint: PLAIN,
    columns: COLUMNS,
    progress: null,
  };
  await dispatch(args, terminal);
  return text;
}

/** Words of a command line, with "…" around those that have blanks in them. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
