/**
 * Reads the repository's own sources for the tests that judge them, and blanks what is not code:
 * with comments (and, where asked, the text of strings) replaced by spaces of the same shape, a
 * plain regular expression finds the rest at the right line. A scanner of a few states, not a
 * parser: it has to be right for this repository's style only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** All .ts and .js files below the folders named; a folder that is not there has none. */
export function readSources(...folders: string[]): SourceFile[] {
  return folders
    .flatMap((folder) => walk(join(ROOT, folder)))
    .map((file) => ({
      path: relative(ROOT, file).split(sep).join('/'),
      text: readFileSync(file, 'utf8'),
    }));
}

function walk(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : walk(path);
    return /\.[cm]?[jt]s$/.test(entry.name) ? [path] : [];
  });
}

/**
 * A token that may hide code-like text: comment, string, template, or a regular expression after an
 * operator.
 */
const HIDING = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`,
    String.raw`(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")`,
    String.raw`(?<template>${'`'}(?:\\[\s\S]|[^${'`'}\\])*${'`'})`,
    String.raw`(?<=(?:[=(,:[!&|?{};>+]|\breturn)\s*)` +
      String.raw`(?<regexp>\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/)`,
  ].join('|'),
  'g',
);

/** `imports`: strings stay, they are what the caller looks for. `code`: nothing but code stays. */
export function blank(text: string, keep: 'imports' | 'code'): string {
  return text.replace(HIDING, (token, ...rest) => {
    const groups = rest.at(-1) as { string?: string };
    if (keep === 'imports' && groups.string !== undefined) return token;
    return token.replace(/[^\n]/g, ' ');
  });
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
