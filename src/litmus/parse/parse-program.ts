/**
 * The code: a table, one column per thread, one instruction per cell, rows ended by `;`.
 *
 *    P0          | P1           ;
 *    STR X1,[X2] | L0:          ;
 *    DSB ISH     | LDR W4,[X3]  ;
 *
 * A column `P0.F` is the fault handler of P0.
 */
import { type CodePoint, moved } from './code-point.ts';
import { LitmusSyntaxError } from '../errors.ts';
import type { Instruction, InstructionBody } from './instruction.ts';
import { parseInstruction } from './parse-instruction.ts';
import type { LitmusThread } from '../test-case.ts';

const TAIL = /^\s*(?:exists|forall|locations|filter|~\s*exists|not\s+exists)\b/;

export interface ProgramText {
  readonly threads: readonly LitmusThread[];
  /** What follows the code, and the line it starts at. */
  readonly tail: string;
  readonly tailLine: number;
}

export function parseProgram(file: string, text: string, firstLine: number): ProgramText {
  let line = firstLine;
  let rest = text;
  let columns: Column[] | null = null;
  for (;;) {
    if (TAIL.test(rest)) break;
    const end = rest.indexOf(';');
    // A test may end with its code.
    if (end < 0 && columns?.some((column) => column.started) && rest.trim() === '') break;
    if (end < 0) {
      const expected =
        columns === null
          ? 'a row of threads such as "P0 | P1 ;"'
          : '"exists", "~exists" or "forall"';
      throw new LitmusSyntaxError(file, skipBlank(rest, line), expected, quoteStart(rest));
    }
    const row = rest.slice(0, end);
    columns = columns === null ? parseHeader(file, row, line) : columns;
    if (columns.some((column) => column.started)) addRow(file, columns, row, line);
    for (const column of columns) column.started = true;
    line += countLines(row);
    rest = rest.slice(end + 1);
  }
  if (columns === null)
    throw new LitmusSyntaxError(
      file,
      line,
      'a row of threads such as "P0 | P1 ;"',
      quoteStart(rest),
    );
  const handlers = new Map(
    columns.filter(({ section }) => section === 'handler').map((column) => [column.id, column]),
  );
  const mains = columns.filter(({ section }) => section === 'main');
  return {
    threads: mains.map((column) => column.finish(handlers.get(column.id))),
    tail: rest,
    tailLine: line,
  };
}

class Column {
  started = false;
  readonly id: number;
  readonly section: CodePoint['section'];
  readonly instructions: Instruction[] = [];
  readonly #file: string;
  readonly #labels: Map<string, CodePoint>;
  #pending: string[] = [];

  /** A thread and its handler share their labels. */
  constructor(
    file: string,
    id: number,
    section: CodePoint['section'],
    labels: Map<string, CodePoint>,
  ) {
    this.#file = file;
    this.id = id;
    this.section = section;
    this.#labels = labels;
  }

  add(cell: string, line: number): void {
    let text = cell.trim();
    for (;;) {
      const label = /^([A-Za-z_.][A-Za-z0-9_.$]*)\s*:\s*/.exec(text);
      if (!label) break;
      const name = label[1] as string;
      if (this.#labels.has(name)) {
        throw new LitmusSyntaxError(
          this.#file,
          line,
          'each label once per thread',
          `"${name}:" again`,
        );
      }
      this.#labels.set(name, this.#here());
      this.#pending.push(name);
      text = text.slice(label[0].length);
    }
    if (text === '') return;
    const body = this.#withTarget(parseInstruction(this.#file, line, text), line);
    this.instructions.push({ ...body, line, labels: this.#pending, text });
    this.#pending = [];
  }

  #here(): CodePoint {
    return { thread: this.id, section: this.section, index: this.instructions.length };
  }

  /** `B .+8`: the place it means gets a label that no test can give. */
  #withTarget(body: InstructionBody, line: number): InstructionBody {
    if (!('label' in body) || !/^\.[+-]/.test(body.label)) return body;
    const target = moved(this.#here(), Number(body.label.slice(1)));
    if (target === null) {
      throw new LitmusSyntaxError(
        this.#file,
        line,
        'a place in the code, in steps of 4 bytes',
        `"${body.label}"`,
      );
    }
    const label = `@${target.section}+${target.index}`;
    this.#labels.set(label, target);
    return { ...body, label };
  }

  finish(handler: Column | undefined): LitmusThread {
    const ends = { main: this.instructions.length, handler: handler?.instructions.length ?? 0 };
    for (const instruction of [...this.instructions, ...(handler?.instructions ?? [])]) {
      if (!('label' in instruction)) continue;
      const target = this.#labels.get(instruction.label);
      if (target !== undefined && target.index <= ends[target.section]) continue;
      throw new LitmusSyntaxError(
        this.#file,
        instruction.line,
        'a label of this thread',
        `"${instruction.text}"`,
      );
    }
    return {
      id: this.id,
      instructions: this.instructions,
      handler: handler?.instructions ?? null,
      labels: this.#labels,
    };
  }
}

function parseHeader(file: string, row: string, line: number): Column[] {
  const at = skipBlank(row, line);
  const labels: Map<string, CodePoint>[] = [];
  const columns = row.split('|').map((cell) => {
    const name = cell.trim();
    const match = /^P([0-9]+)(\.F)?$/.exec(name);
    if (!match)
      throw new LitmusSyntaxError(
        file,
        at,
        'a thread such as P0',
        name === '' ? 'nothing' : `"${name}"`,
      );
    const id = Number(match[1]);
    labels[id] ??= new Map();
    return new Column(file, id, match[2] === undefined ? 'main' : 'handler', labels[id]);
  });
  for (const [i, column] of columns.filter(({ section }) => section === 'main').entries()) {
    if (column.id !== i) throw new LitmusSyntaxError(file, at, `P${i}`, `"P${column.id}"`);
  }
  return columns;
}

function addRow(file: string, columns: readonly Column[], row: string, firstLine: number): void {
  const cells = row.split('|');
  if (cells.length > columns.length) {
    throw new LitmusSyntaxError(
      file,
      skipBlank(row, firstLine),
      `${columns.length} column${columns.length === 1 ? '' : 's'}`,
      `${cells.length}`,
    );
  }
  let line = firstLine;
  for (const [i, cell] of cells.entries()) {
    columns[i]?.add(cell, skipBlank(cell, line));
    line += countLines(cell);
  }
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

/** Line of the first character that is not blank. */
function skipBlank(text: string, line: number): number {
  return line + countLines(/^\s*/.exec(text)?.[0] ?? '');
}

function quoteStart(text: string): string {
  const start = text.trim().split('\n')[0] ?? '';
  return start === '' ? 'end of file' : `"${start.trim()}"`;
}
