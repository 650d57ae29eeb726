/**
 * The end of a command: what it found goes to where it was asked for, and nothing that fails there
 * changes what was found. A file that cannot be written is one line; the other files and the text
 * still come, and a violation stays exit code 1.
 */
import { formatJson } from '../../report/json.ts';
import { EXIT, type ExitCode } from '../../result/exit-code.ts';
import type { ResultFile } from '../../result/read.ts';
import { internalErrorLine } from '../../report/internal-error.ts';
import { checkOutputFile, type OutputFile, type OutputFolder, writeWhole } from './output-file.ts';
import { shortPath } from '../../package/paths.ts';
import type { Terminal } from '../terminal.ts';
import { fileProblem } from './write-problem.ts';
import { filesOut } from './write-reports.ts';

export const STANDARD_OUTPUT = '-';
/** Where `--json` goes: a file, or standard output, which then has nothing else. */
export type JsonTarget = OutputFile | typeof STANDARD_OUTPUT;

export function jsonTarget(text: string | undefined): JsonTarget | null {
  if (text === undefined) return null;
  return text === STANDARD_OUTPUT ? STANDARD_OUTPUT : checkOutputFile('json', text);
}

export function isFile(target: JsonTarget | null): target is OutputFile {
  return target !== null && target !== STANDARD_OUTPUT;
}

export interface Targets {
  readonly json: JsonTarget | null;
  readonly out?: OutputFolder | null;
  /** More files, whose names depend on what was found: they are named in any case. */
  readonly found?: readonly DeliveredFile[];
  /** Files are not named whose names were given. */
  readonly quiet: boolean;
}

export interface DeliveredFile {
  readonly name: string;
  readonly place: () => OutputFile;
  readonly make: () => string | Promise<string>;
}

export class Delivery {
  readonly #terminal: Terminal;
  readonly #quiet: boolean;
  /** In the order in which they are named. */
  readonly #written: string[] = [];
  readonly #found: string[] = [];
  #hasFailed = false;

  constructor(terminal: Terminal, quiet: boolean) {
    this.#terminal = terminal;
    this.#quiet = quiet;
  }

  /** Writes a file whole, or says in a line why not. */
  async file(
    name: string,
    place: () => OutputFile,
    make: () => string | Promise<string>,
    isFound = false,
  ): Promise<void> {
    try {
      const text = await make();
      writeWhole(place(), text);
      (isFound ? this.#found : this.#written).push(name);
    } catch (error) {
      this.#fail(`${shortPath(name)} was not written`, error);
    }
  }

  async json(target: JsonTarget | null, data: object): Promise<void> {
    if (target === null) return;
    if (isFile(target))
      await this.file(
        target,
        () => target,
        () => formatJson(data),
      );
    else this.#terminal.data(formatJson(data));
  }

  /** Prints what `make` makes of it, or says in a line why not. */
  text(make: () => string): void {
    try {
      this.#terminal.out(make());
    } catch (error) {
      this.#fail('the result could not be printed', error);
    }
  }

  /** Names each file that was written. The exit code of all of it. */
  end(code: ExitCode): ExitCode {
    for (const name of [...(this.#quiet ? [] : this.#written), ...this.#found]) {
      this.#terminal.out(`wrote ${shortPath(name)}\n`);
    }
    return exitCodeAfter(code, this.#hasFailed);
  }

  #fail(what: string, error: unknown): void {
    this.#hasFailed = true;
    const problem = fileProblem(error);
    if (problem === null) this.#terminal.err(internalErrorLine(error));
    this.#terminal.err(`stage2-stress: ${what}${problem === null ? '' : `: ${problem}`}\n`);
  }
}

/** A violation outranks what fails after it; nothing else does. */
export function exitCodeAfter(code: ExitCode, hasFailed: boolean): ExitCode {
  return hasFailed && code !== EXIT.fail ? EXIT.internal : code;
}

/** A result to its files, then its text: files must not depend on anybody reading. */
export async function deliver(
  result: ResultFile,
  { json, out = null, found = [], quiet }: Targets,
  terminal: Terminal,
  text: () => string,
): Promise<ExitCode> {
  const delivery = new Delivery(terminal, quiet);
  await delivery.json(json, result);
  for (const { name, place, make } of out === null ? [] : filesOut(out, result)) {
    await delivery.file(name, place, make);
  }
  for (const { name, place, make } of found) await delivery.file(name, place, make, true);
  delivery.text(text);
  return delivery.end(result.exitCode);
}
