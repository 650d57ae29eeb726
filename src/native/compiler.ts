/**
 * A C compiler for WebAssembly: the clang of the system if it can do that, else LLVM as WebAssembly
 * from the npm package @yowasp/clang, which needs no installation beside npm's.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ownModule } from '../package/root.ts';
import { NativeProblem } from './problem.ts';
import { HEADER, INCLUDE_FOLDER, type SourceFile } from './source-tree.ts';

export const COMPILE_FLAGS: readonly string[] = [
  '--target=wasm32',
  '-O2',
  '-gdwarf-4',
  '-std=gnu11',
  '-ffreestanding',
  '-fvisibility=hidden',
  '-mbulk-memory',
  '-mmutable-globals',
  // As the kernel is compiled: no aliasing or overflow surprises, and a loop may be endless.
  '-fno-strict-aliasing',
  '-fwrapv',
  '-fno-delete-null-pointer-checks',
  '-fno-finite-loops',
  '-Wall',
  '-Wextra',
  '-Wno-unused-parameter',
  '-Wno-missing-field-initializers',
  '-Werror=implicit-function-declaration',
  '-fno-caret-diagnostics',
  '-fno-color-diagnostics',
  `-I${INCLUDE_FOLDER}`,
];

/** Bytes of C stack. It lies lowest, so that an overflow traps. */
export const STACK_BYTES = 16_384;
/** Of a protocol's module, statics and stack: the explorer restores them thousands of times. */
export const MEMORY_MAX_BYTES = 2 ** 20;

export const LINK_FLAGS: readonly string[] = [
  '--no-entry',
  '--stack-first',
  '-z',
  `stack-size=${STACK_BYTES}`,
  `--max-memory=${MEMORY_MAX_BYTES}`,
  '--export=__stack_pointer',
  '--export=__heap_base',
  '--export=stage2_protocol',
];

export const tooMuchMemory = (asked: string): string =>
  `${asked} of static data; a protocol may have ${MEMORY_MAX_BYTES / 1024} KiB, its stack of ` +
  `${STACK_BYTES / 1024} KiB included`;

const COMPILE_MS_MAX = 120_000;

/** What a compiler has to say, and the module if it made one. */
export interface Built {
  readonly wasm: Uint8Array<ArrayBuffer> | null;
  /** As the compiler and the linker wrote them. */
  readonly output: string;
}

export interface Compiler {
  readonly name: string;
  build(job: Job): Promise<Built>;
}

/** One C file and what the compiler is told for it. */
export interface Unit {
  /** Absolute. */
  readonly file: string;
  readonly flags: readonly string[];
}

/** Files compiled and linked to one module. */
export interface Job {
  readonly units: readonly Unit[];
  /** Everything that is read, with absolute paths: a compiler that is WebAssembly sees no other files. */
  readonly files: readonly SourceFile[];
  readonly link: readonly string[];
}

/** Files below it are nowhere but in a job: where they are put in the end the compiler is told. */
export const NOWHERE = '/stage2-stress-nowhere';

/** Of one file as a protocol. */
export function protocolJob(file: string, tree: readonly SourceFile[]): Job {
  const header = { path: HEADER, text: readFileSync(HEADER, 'utf8') };
  return {
    units: [{ file, flags: COMPILE_FLAGS }],
    files: [...tree, header],
    link: LINK_FLAGS,
  };
}

export const HOW_TO_GET_ONE =
  'no C compiler for WebAssembly is here: `npm install --no-save @yowasp/clang` brings one, or install ' +
  'clang and lld of the system (Debian: apt install clang lld); CLANG=… names a clang by another name';

/** `CLANG=clang-19` names the system's; empty: none of the system's. Throws NativeProblem. */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<Compiler> {
  const named = env['CLANG'];
  if (named !== '') {
    const found = await systemClang(named ?? 'clang');
    if (found !== null) return found;
    if (named !== undefined) {
      throw new NativeProblem(
        `CLANG=${named} is no clang that compiles for wasm32: it takes clang with the target ` +
          'WebAssembly, and wasm-ld (package lld)',
      );
    }
  }
  if (hasYowasp()) return YOWASP;
  throw new NativeProblem(HOW_TO_GET_ONE);
}

function hasYowasp(): boolean {
  try {
    import.meta.resolve('@yowasp/clang');
    return existsSync(new URL(import.meta.resolve('@yowasp/clang')));
  } catch {
    return false;
  }
}

interface Ran {
  readonly code: number | null;
  readonly text: string;
}

/** Never throws: a program that is not there has code null. */
function runProgram(program: string, args: readonly string[]): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: COMPILE_MS_MAX,
  });
  let text = '';
  const hear = (part: Buffer): void => {
    text += part.toString('utf8');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.on('error', () => resolve({ code: null, text }));
  child.on('close', (code) => resolve({ code, text }));
  return promise;
}

/** Null where it is missing, has no wasm32, or no linker for it. */
async function systemClang(clang: string): Promise<Compiler | null> {
  const [targets, linker] = await Promise.all([
    runProgram(clang, ['--print-targets']),
    runProgram(clang, ['--target=wasm32', '--print-prog-name=wasm-ld']),
  ]);
  if (targets.code !== 0 || !/^\s*wasm32\b/m.test(targets.text)) return null;
  const wasmLd = linker.text.trim();
  // A bare name is one that clang has not found beside itself.
  if (!path.isAbsolute(wasmLd) && (await runProgram('wasm-ld', ['--version'])).code !== 0) {
    return null;
  }
  return {
    name: clang,
    async build({ units, files, link }) {
      const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-c-'));
      const placed = (text: string): string => text.replaceAll(NOWHERE, folder);
      try {
        for (const { path: file, text } of files.filter((each) => each.path.startsWith(NOWHERE))) {
          mkdirSync(path.dirname(placed(file)), { recursive: true });
          writeFileSync(placed(file), text);
        }
        let output = '';
        const objects = units.map((_, i) => path.join(folder, `${i}.o`));
        for (const [i, { file, flags }] of units.entries()) {
          const object = objects[i] ?? '';
          const args = [...flags.map(placed), '-c', '-o', object, placed(file)];
          const compiled = await runProgram(clang, args);
          output += compiled.text.replaceAll(folder, NOWHERE);
          if (compiled.code !== 0) return { wasm: null, output };
        }
        const module = path.join(folder, 'protocol.wasm');
        const linkerPath = wasmLd === '' ? 'wasm-ld' : wasmLd;
        const linked = await runProgram(linkerPath, [...link, '-o', module, ...objects]);
        const wasm = linked.code === 0 ? new Uint8Array(readFileSync(module)) : null;
        return { wasm, output: output + linked.text.replaceAll(folder, NOWHERE) };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/**
 * LLVM in a process of its own, which stays for the next file: it takes seconds to start and half a
 * second a file. It may run out of memory or never end without taking this process along.
 */
const YOWASP: Compiler = {
  name: '@yowasp/clang',
  async build(job) {
    const child = llvmProcess();
    const { file } = job.units[0] ?? { file: 'nothing' };
    const { promise, resolve, reject } = Promise.withResolvers<Built>();
    const fail = (what: string): void =>
      reject(new NativeProblem(`${file}: @yowasp/clang ${what}`));
    const late = setTimeout(() => {
      // It dies later than this: the next file is not for it.
      llvm = null;
      child.kill('SIGKILL');
      fail(`did not end within ${COMPILE_MS_MAX / 1000} s`);
    }, COMPILE_MS_MAX);
    const onMessage = (built: Built): void => resolve(built);
    const onExit = (code: number | null): void => fail(`ended in the middle (exit code ${code})`);
    const onError = (error: Error): void => fail(error.message);
    // While it works it is waited for; between two files it keeps nobody alive.
    child.ref();
    child.channel?.ref();
    child.once('message', onMessage);
    child.once('exit', onExit);
    child.once('error', onError);
    child.send(job);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      child.off('message', onMessage);
      child.off('exit', onExit);
      child.off('error', onError);
      child.unref();
      child.channel?.unref();
    }
  },
};

let llvm: ChildProcess | null = null;

function llvmProcess(): ChildProcess {
  if (llvm !== null && llvm.exitCode === null && llvm.signalCode === null && llvm.connected) {
    return llvm;
  }
  const script = ownModule('./yowasp', import.meta.url);
  llvm = fork(script, [], {
    execArgv: [],
    serialization: 'advanced',
    // It says on standard output how much of itself it has read.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return llvm;
}
