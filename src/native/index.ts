/** Protocols in C, and as WebAssembly modules. */
import { readFileSync } from 'node:fs';
import { protocolOf } from './bridge.ts';
import { compile } from './compile.ts';
import { placeOf } from './diagnostics.ts';
import { NativeProblem } from './problem.ts';
import { functionBody, sourceTree } from './source-tree.ts';

export { type Compiled, readCache, writeCache } from './cache.ts';
export { CodePlaces } from './code-places.ts';
export { type Compiler, findCompiler, type Job, NOWHERE } from './compiler.ts';
export { diagnosticsIn } from './diagnostics.ts';
export { compilerStarts, hearCompiler } from './heard.ts';
export { lineTableOf } from './line-table.ts';
export { sectionsOf } from './module-sections.ts';
export { NativeProblem } from './problem.ts';
export type { SourceFile } from './source-tree.ts';
export { INCLUDE_FOLDER } from './source-tree.ts';

export interface NativeProtocol {
  /** In the form of a protocol, yet to be checked. */
  readonly protocol: unknown;
  /** Of the compiler, one line each. */
  readonly warnings: readonly string[];
}

/** Throws NativeProblem. */
export async function loadC(file: string): Promise<NativeProtocol> {
  const { wasm, warnings } = await compile(file);
  const source = readFileSync(file, 'utf8');
  const body = functionBody(source, 'run');
  const protocol = protocolOf(wasm, {
    file,
    lines: body === null ? null : codeLines(body.text),
    start: body === null ? null : { file, line: body.line, column: 1 },
    placeOf: (word) => placeOf(word, sourceTree(file)) ?? file,
  });
  return { protocol, warnings };
}

/** Throws NativeProblem. */
export function loadWasm(file: string): NativeProtocol {
  const wasm = new Uint8Array(readFileSync(file));
  if (!WebAssembly.validate(wasm)) {
    throw new NativeProblem(
      `${file}: not a WebAssembly module, or one with features that Node lacks`,
    );
  }
  return {
    protocol: protocolOf(wasm, { file, lines: null, start: null, placeOf: () => file }),
    warnings: [],
  };
}

/** Everything that was compiled but this project's own header: what a token of the protocol stands for. */
export function textOfC(file: string): string {
  return sourceTree(file)
    .map(({ text }) => text)
    .join('\0');
}

/** Lines that hold code: no blank line, comment or lone bracket. */
function codeLines(body: string): number {
  const code = body
    .slice(1, -1)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '');
  return code.split('\n').filter((line) => /\w/.test(line)).length;
}
