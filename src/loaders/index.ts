/**
 * What `--protocol FILE` takes, by the file's name: one row each. A protocol is loaded by its path in
 * each thread that runs it.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { loadKernel, REFERENCE, textOfKernel } from '../kernel/index.ts';
import { loadC, loadWasm, textOfC } from '../native/index.ts';
import { resolvePackage } from './resolve-package.ts';
import { sequenceFile } from '../sequence/index.ts';

export interface Loaded {
  /** What the file offers as a protocol, unchecked; undefined if nothing. */
  readonly protocol: unknown;
  /** For the author, one line each. */
  readonly warnings: readonly string[];
}

export interface Loader {
  readonly name: string;
  readonly extension: RegExp;
  /** For messages: what such a file holds. */
  readonly what: string;
  /** For messages: what of the file is the protocol. */
  readonly offers: string;
  /** Throws what is wrong with the file. */
  load(path: string): Promise<Loaded> | Loaded;
  /** All of the text that the protocol was made of: a token is of this text. */
  text(path: string): string;
}

export const MODULE: Loader = {
  name: 'module',
  extension: /\.[cm]?[jt]s$/,
  what: 'a .ts or .js file whose default export is a protocol',
  offers: 'the default export',
  load: async (path) => {
    resolvePackage();
    const module = (await import(moduleOf(path))) as { readonly default?: unknown };
    return { protocol: module.default, warnings: [] };
  },
  text: (path) => readFileSync(path, 'utf8'),
};

export const SEQUENCE: Loader = {
  name: 'sequence',
  extension: /\.seq$/,
  what: 'a .seq file with one step a line',
  offers: 'the sequence',
  load: (path) => ({ protocol: sequenceFile(path), warnings: [] }),
  text: (path) => readFileSync(path, 'utf8'),
};

const C: Loader = {
  name: 'c',
  extension: /\.c$/,
  what: 'a .c file with a STAGE2_PROTOCOL',
  offers: 'STAGE2_PROTOCOL',
  load: loadC,
  text: textOfC,
};

const WASM: Loader = {
  name: 'wasm',
  extension: /\.wasm$/,
  what: 'a .wasm module made from one',
  offers: 'STAGE2_PROTOCOL',
  load: loadWasm,
  text: (path) => readFileSync(path, 'base64'),
};

/** No file, but as if it were one in the tree's folder. */
export const KERNEL: Loader = {
  name: 'kernel',
  extension: REFERENCE,
  what: 'a function of a kernel tree, DIR/kernel:map',
  offers: 'the tree',
  load: loadKernel,
  text: textOfKernel,
};

export const LOADERS: readonly Loader[] = [MODULE, C, WASM, SEQUENCE, KERNEL];

/** Null for a file that is no protocol's. */
export function loaderOf(path: string): Loader | null {
  return LOADERS.find(({ extension }) => extension.test(path)) ?? null;
}

/** URL of a user's module. */
export const moduleOf = (path: string): string => pathToFileURL(path).href;
