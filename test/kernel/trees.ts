/** The tests' own tree, and copies of it with something changed. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CACHE } from '../native/compiled.ts';
import { clearLater } from '../support/leftovers.ts';

export const TREE = path.join(import.meta.dirname, 'tree');
export const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
export const HEADER = 'arch/arm64/include/asm/kvm_pgtable.h';

export type Change = readonly [file: string, from: string, to: string];

/** A copy in which each text stands in the place of another. */
export function treeWith(...changes: readonly Change[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-kernel-'));
  clearLater(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(TREE, folder, { recursive: true });
  for (const [name, from, to] of changes) {
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
    writeFileSync(file, text.replace(from, to));
  }
  return folder;
}

/** The same in one place, whichever run of the tests it is, so that it is compiled once. */
export function keptTree(name: string, ...changes: readonly Change[]): string {
  const folder = path.join(CACHE, 'trees', name);
  cpSync(treeWith(...changes), folder, { recursive: true });
  return folder;
}

export function treeWithout(name: string): string {
  const folder = treeWith();
  rmSync(path.join(folder, name), { recursive: true });
  return folder;
}

export function lineOf(folder: string, file: string, words: string): number {
  const text = readFileSync(path.join(folder, file), 'utf8');
  return text.slice(0, text.indexOf(words)).split('\n').length;
}
