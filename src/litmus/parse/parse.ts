/**
 * A whole `.litmus` file of herd's AArch64 format.
 *
 *    AArch64 NAME
 *    Key=Value            any number, and "documentation strings"; herd skips other lines, and so do we
 *    { initial state }
 *    code
 *    locations […] filter … exists …
 *
 * Throws LitmusSyntaxError for a malformed file, Unsupported for what the engine does not have.
 */
import { LitmusSyntaxError, Unsupported } from '../errors.ts';
import { parseTail } from './parse-condition.ts';
import { parseInitialState } from './parse-init.ts';
import { parseProgram } from './parse-program.ts';
import { Scanner, stripComments } from './scanner.ts';
import { withLabels } from './resolve-labels.ts';
import type { LitmusTest } from '../test-case.ts';
import { variantsOf } from '../variants.ts';

type Info = Map<string, { readonly value: string; readonly line: number }>;

export function parseLitmus(file: string, source: string): LitmusTest {
  const text = stripComments(file, source.replace(/\r\n/g, '\n'));
  const open = /^[^\n]*\n(?:(?!\s*\{)[^\n]*\n)*?\s*\{/.exec(text);
  const name = parseName(file, text);
  if (!open) {
    throw new LitmusSyntaxError(
      file,
      lineAt(text, text.trimEnd().length),
      '"{" and the initial state',
      'end of file',
    );
  }
  const info = parseInfo(text.slice(0, open[0].length - 1));
  const initStart = open[0].length;
  const close = closingBrace(text, initStart);
  if (close < 0) {
    throw new LitmusSyntaxError(
      file,
      lineAt(text, initStart),
      '"}" that closes this initial state',
      'end of file',
    );
  }
  // What needs another model may look as if it were malformed.
  variantsOf(info);
  const initial = parseInitialState(
    new Scanner(file, text.slice(initStart, close), lineAt(text, initStart)),
  );
  const program = parseProgram(file, text.slice(close + 1), lineAt(text, close + 1));
  const tailScanner = new Scanner(file, program.tail, program.tailLine);
  const tail = parseTail(tailScanner, program.tail, initial);
  const test = { name, file, info, threads: program.threads, ...initial.state, ...tail };
  return withLabels(test);
}

/** Index of the brace that closes the initial state; arrays have braces of their own. */
function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && depth-- === 0) return at;
  }
  return -1;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function parseName(file: string, text: string): string {
  const first = text.split('\n')[0] ?? '';
  const match = /^\s*([A-Za-z]\w*)\s+(\S+)\s*$/.exec(first);
  if (!match)
    throw new LitmusSyntaxError(file, 1, '"AArch64" and a test name', `"${first.trim()}"`);
  if (match[1] !== 'AArch64') throw new Unsupported(`architecture ${match[1]}`, 1);
  return match[2] as string;
}

function parseInfo(text: string): Info {
  const info: Info = new Map();
  // A documentation string may span lines; it says nothing to the engine.
  const plain = text.replace(/"[^"]*"/g, (quoted) => quoted.replace(/[^\n]/g, ' '));
  for (const [i, line] of plain.split('\n').entries()) {
    if (i === 0 || line.trim() === '') continue;
    const match = /^\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match)
      info.set((match[1] as string).toLowerCase(), { value: match[2] as string, line: i + 1 });
  }
  return info;
}
