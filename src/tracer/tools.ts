/** What a trace needs of this machine: QEMU, a compiler for it, and one for arm64. */
import path from 'node:path';
import { runProgram } from './run-program.ts';

/** The first whose plugin interface was tried with our plugin. */
const QEMU_MAJOR_MIN = 10;

export interface CCompiler {
  readonly program: string;
  /** Before all others: what makes it compile for arm64. */
  readonly flags: readonly string[];
}

export interface Tools {
  readonly qemu: string;
  readonly qemuVersion: string;
  /** For the machine QEMU runs on. */
  readonly host: CCompiler;
  /** For arm64; no C library is needed. */
  readonly arm64: CCompiler;
}

/** Something that is not here: what, and how to get it. */
export interface Missing {
  readonly what: string;
  readonly how: string;
}

export type Found = { readonly tools: Tools } | { readonly missing: readonly Missing[] };

export const HOW_TO_GET_QEMU =
  'Debian 13 and Ubuntu 25.04: apt install qemu-system-arm; Debian 12: apt install -t ' +
  'bookworm-backports qemu-system-arm, or unpack its packages in a folder (docs/kvm-traces.md); ' +
  'QEMU=… names it by its path';
export const HOW_TO_GET_ARM64 =
  'Debian: apt install gcc-aarch64-linux-gnu, or clang and lld; CROSS_CC=… names another';
export const HOW_TO_GET_CC = 'Debian: apt install gcc; CC=… names another';

export async function findTools(env: NodeJS.ProcessEnv = process.env): Promise<Found> {
  const qemu = nonEmpty(env['QEMU']) ?? 'qemu-system-aarch64';
  const [version, host, arm64] = await Promise.all([
    qemuVersion(qemu),
    firstThatRuns(hostCandidates(env)),
    arm64Compiler(env),
  ]);
  const missing: Missing[] = [];
  if (version.problem !== null) missing.push({ what: version.problem, how: HOW_TO_GET_QEMU });
  if (host === null)
    missing.push({ what: 'no C compiler for this machine (cc, gcc, clang)', how: HOW_TO_GET_CC });
  if (arm64 === null) {
    const named = nonEmpty(env['CROSS_CC']);
    const what =
      named === null
        ? 'no C compiler for arm64 (aarch64-linux-gnu-gcc, or clang with lld)'
        : `CROSS_CC=${named} cannot be run`;
    missing.push({ what, how: HOW_TO_GET_ARM64 });
  }
  if (version.problem !== null || host === null || arm64 === null) return { missing };
  return { tools: { qemu, qemuVersion: version.text, host, arm64 } };
}

/** An empty variable names nothing. */
function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

async function qemuVersion(qemu: string): Promise<{ text: string; problem: string | null }> {
  const { code, text } = await runProgram(qemu, ['--version']);
  if (code === null)
    return { text: '', problem: `${qemu} (version ${QEMU_MAJOR_MIN} or later) is not here` };
  const [, version = '', major = ''] = /version ((\d+)\.\d+(?:\.\d+)?)/.exec(text) ?? [];
  if (code !== 0 || version === '') {
    const [first = ''] = text.trim().split('\n');
    return { text: '', problem: `${qemu} does not tell its version (${first})` };
  }
  if (Number(major) >= QEMU_MAJOR_MIN) return { text: version, problem: null };
  return {
    text: version,
    problem:
      `${qemu} is version ${version}, expected ${QEMU_MAJOR_MIN} or later: plugins of older ones ` +
      'see neither registers nor the values of stores',
  };
}

function hostCandidates(env: NodeJS.ProcessEnv): CCompiler[] {
  const named = nonEmpty(env['CC']);
  const programs = named === null ? ['cc', 'gcc', 'clang'] : [named];
  return programs.map((program) => ({ program, flags: [] }));
}

async function arm64Compiler(env: NodeJS.ProcessEnv): Promise<CCompiler | null> {
  const named = nonEmpty(env['CROSS_CC']);
  if (named !== null) return await firstThatRuns([{ program: named, flags: clangFlags(named) }]);
  const gcc = ['aarch64-linux-gnu-gcc', ...versions(14, 12), 'aarch64-none-linux-gnu-gcc'];
  const native = process.arch === 'arm64' ? ['cc', 'gcc'] : [];
  const found = await firstThatRuns([...native, ...gcc].map((program) => ({ program, flags: [] })));
  return found ?? (await clangWithLinker());
}

function versions(from: number, to: number): string[] {
  return Array.from({ length: from - to + 1 }, (_, i) => `aarch64-linux-gnu-gcc-${from - i}`);
}

/** Clang compiles for all its targets, but links for another machine only with lld. */
function clangFlags(program: string): string[] {
  return path.basename(program).includes('clang')
    ? ['--target=aarch64-linux-gnu', '-fuse-ld=lld']
    : [];
}

async function clangWithLinker(): Promise<CCompiler | null> {
  const lld = await runProgram('clang', ['--print-prog-name=ld.lld']);
  if (lld.code !== 0 || !path.isAbsolute(lld.text.trim())) return null;
  return { program: 'clang', flags: clangFlags('clang') };
}

async function firstThatRuns(candidates: readonly CCompiler[]): Promise<CCompiler | null> {
  for (const candidate of candidates)
    if ((await runProgram(candidate.program, ['--version'])).code === 0) return candidate;
  return null;
}
