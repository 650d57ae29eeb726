/**
 * Kernel trees of whoever runs the tests, for what the tests' own tree cannot show. Copies of the few
 * files with something changed lie in the system's folder for temporary files, and so does what is
 * compiled from them.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kernelTree } from '../../src/kernel/index.ts';
import { noCompiler } from '../native/compiled.ts';
import { clearLater } from '../support/leftovers.ts';
import { HEADER, PGTABLE } from './trees.ts';

/** Folders, with colons between them. */
const VARIABLE = 'STAGE2_STRESS_KERNELS';
const SOURCES = '/usr/src';
const tlb = (flavour: string): string => `arch/arm64/kvm/hyp/${flavour}/tlb.c`;
const FILES = ['Makefile', HEADER, PGTABLE, tlb('vhe'), tlb('nvhe')];
const OPTIONAL = 'arch/arm64/include/asm/tlbflush.h';

function foldersThere(): string[] {
  const named = (process.env[VARIABLE] ?? '').split(':').filter((folder) => folder !== '');
  const installed = existsSync(SOURCES)
    ? readdirSync(SOURCES).filter((name) => /^linux-source-[\d.]+$/.test(name))
    : [];
  const all = [...named, ...installed.map((name) => path.join(SOURCES, name))];
  return all.filter((folder) => FILES.every((file) => existsSync(path.join(folder, file))));
}

export interface RealTree {
  readonly folder: string;
  readonly version: string;
}

export const REAL_TREES: readonly RealTree[] = foldersThere().map((folder) => ({
  folder,
  version: kernelTree(folder).version,
}));

/** Null where there is something to test with; else the sentence that says how. */
export const noTree: string | null =
  noCompiler ??
  (REAL_TREES.length > 0
    ? null
    : `no kernel tree: ${VARIABLE} or ${SOURCES}/linux-source-* has some`);
if (noTree !== null) console.warn(`tests of kernel trees are skipped: ${noTree}`);

function temporary(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `stage2-stress-${name}-`));
  clearLater(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** To be called before anything of a real tree is compiled. */
export function keepOutOfHere(): void {
  process.env['XDG_CACHE_HOME'] = temporary('kernel-cache');
}

/** A copy of the few files, with what `change` makes of one of them; null: it makes nothing of it. */
export function editedCopy(
  { folder }: RealTree,
  file: string,
  change: (text: string) => string,
): string | null {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const changed = change(text);
  if (changed === text) return null;
  const copy = temporary('kernel-copy');
  for (const name of [...FILES, OPTIONAL]) {
    if (!existsSync(path.join(folder, name))) continue;
    mkdirSync(path.dirname(path.join(copy, name)), { recursive: true });
    cpSync(path.join(folder, name), path.join(copy, name));
  }
  writeFileSync(path.join(copy, file), changed);
  return copy;
}
