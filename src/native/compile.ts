/** From a C file to a module, compiled once for each content. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Compiled, readCache, writeCache } from './cache.ts';
import { COMPILE_FLAGS, type Compiler, findCompiler, LINK_FLAGS, protocolJob } from './compiler.ts';
import { errorIn, warningsIn } from './diagnostics.ts';
import { compilerStarts } from './heard.ts';
import { NativeProblem } from './problem.ts';
import { HEADER, sourceTree, type SourceFile } from './source-tree.ts';

/** Not of the compiler: another one makes another module that does the same. */
function keyOf(tree: readonly SourceFile[]): string {
  const hash = createHash('sha256');
  const header = readFileSync(HEADER, 'utf8');
  // With their places: the line table names them.
  hash.update(JSON.stringify([COMPILE_FLAGS, LINK_FLAGS, header, tree]));
  return hash.digest('hex');
}

/** What could not be written to any cache is at least not compiled twice by one thread. */
const unwritten = new Map<string, Compiled>();

/** Throws NativeProblem, with the compiler's first error, or how to get a compiler. */
export async function compile(
  file: string,
  find: () => Promise<Compiler> = findCompiler,
): Promise<Compiled> {
  const tree = sourceTree(file);
  const key = keyOf(tree);
  const cached = unwritten.get(key) ?? readCache(key);
  if (cached !== null) return cached;
  compilerStarts(file);
  const { wasm, output } = await (await find()).build(protocolJob(file, tree));
  if (wasm === null) throw new NativeProblem(errorIn(output, file, tree));
  const compiled = { wasm, warnings: warningsIn(output) };
  if (!writeCache(key, compiled)) unwritten.set(key, compiled);
  return compiled;
}
