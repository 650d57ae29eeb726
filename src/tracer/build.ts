/** Compiles the plugin for QEMU and the program that the traced kernel starts. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../package/root.ts';
import { TracerProblem } from './problem.ts';
import { runProgram } from './run-program.ts';
import type { CCompiler, Tools } from './tools.ts';

export const SOURCES = path.join(PACKAGE_ROOT, 'tools/kvm-trace');

const COMMON = ['-std=gnu11', '-O2', '-Wall'];
const PLUGIN = [...COMMON, '-shared', '-fPIC', '-fvisibility=hidden', '-pthread'];
/** Without a C library: one for arm64 would be one more thing to install. */
const GUEST = [
  ...COMMON,
  ...['-ffreestanding', '-fno-stack-protector', '-fno-pie', '-no-pie', '-static', '-nostdlib'],
];

export interface Built {
  /** Paths. */
  readonly plugin: string;
  readonly init: string;
}

/** Into `folder`. Throws a TracerProblem with the compiler's first error. */
export async function build({ host, arm64 }: Tools, folder: string): Promise<Built> {
  const plugin = path.join(folder, 'kvm-trace.so');
  const init = path.join(folder, 'init');
  // Neither is left alone where the other fails: it would write into a folder that is being removed.
  const ends = await Promise.allSettled([
    compile(host, PLUGIN, cFiles('plugin'), plugin),
    compile(arm64, GUEST, cFiles('guest'), init),
  ]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { plugin, init };
}

export function cFiles(part: 'plugin' | 'guest'): string[] {
  const folder = path.join(SOURCES, part);
  const names = readdirSync(folder).filter((name) => name.endsWith('.c'));
  return names.sort().map((name) => path.join(folder, name));
}

async function compile(
  { program, flags }: CCompiler,
  options: readonly string[],
  files: readonly string[],
  out: string,
): Promise<void> {
  const { code, text } = await runProgram(program, [...flags, ...options, ...files, '-o', out]);
  if (code === 0) return;
  const lines = text.trim().split('\n');
  const first = lines.find((line) => /error|undefined|cannot/i.test(line)) ?? lines[0] ?? '';
  throw new TracerProblem(`${program} could not compile ${path.basename(out)}: ${first.trim()}`);
}
