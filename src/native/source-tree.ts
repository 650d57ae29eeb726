/**
 * A C file and the files beside it that it includes: what a compiled module is made of. The compiler
 * that is WebAssembly itself sees no other files, and the cache knows a module by these.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../package/root.ts';
import { NativeProblem } from './problem.ts';

export const HEADER = path.join(PACKAGE_ROOT, 'include/stage2-stress.h');
export const INCLUDE_FOLDER = path.dirname(HEADER);

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

const INCLUDE =
  /^[ \t]*#[ \t]*include[ \t]*(?:"(?<quoted>[^"\n]+)"|<[^>\n]+>|(?<other>\S[^\n]*))/gm;
/** More text than any protocol is: a file named by mistake. */
const TEXT_MAX = 4 * 2 ** 20;

/** The file first, then what it includes by `"name"`, each once; not the header of this project. */
export function sourceTree(file: string): readonly SourceFile[] {
  const found = new Map<string, SourceFile>();
  const visit = (path_: string): void => {
    if (found.has(path_) || path_ === HEADER) return;
    const text = readText(path_);
    found.set(path_, { path: path_, text });
    for (const match of text.matchAll(INCLUDE)) {
      const { quoted, other } = match.groups ?? {};
      const line = text.slice(0, match.index).split('\n').length;
      if (other !== undefined) {
        throw new NativeProblem(`${path_}:${line}: write the name of the included file itself`);
      }
      if (quoted === undefined) continue;
      const target = path.resolve(path.dirname(path_), quoted);
      // What is not there the compiler finds in its own folders, or says that it does not.
      if (statSync(target, { throwIfNoEntry: false })?.isFile() === true) visit(target);
    }
  };
  visit(file);
  return [...found.values()];
}

function readText(file: string): string {
  const bytes = readFileSync(file);
  if (bytes.length > TEXT_MAX || bytes.includes(0)) {
    throw new NativeProblem(`${file}: not the text of a C program`);
  }
  return bytes.toString('utf8');
}

export interface FunctionBody {
  /** From its opening bracket to the closing one. */
  readonly text: string;
  /** Of the function's name, from 1. */
  readonly line: number;
}

/** Of the function `name`; null if it is not there. */
export function functionBody(text: string, name: string): FunctionBody | null {
  // Comments, strings and characters as blanks of the same length, so that brackets in them do not count.
  const code = text.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
    (part) => part.replaceAll(/[^\n]/g, ' '),
  );
  const head = new RegExp(`\\b${name}\\s*\\([^;{}()]*\\)\\s*\\{`).exec(code);
  if (head === null) return null;
  const start = head.index + head[0].length - 1;
  let depth = 0;
  for (let i = start; i < code.length; i++) {
    if (code[i] === '{') depth++;
    if (code[i] === '}' && --depth === 0) {
      const line = text.slice(0, head.index).split('\n').length;
      return { text: text.slice(start, i + 1), line };
    }
  }
  return null;
}
