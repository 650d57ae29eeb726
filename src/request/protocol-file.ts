/**
 * A protocol from a user's file. Whatever goes wrong, the user reads one line that names their
 * file, the line in it where that is known, and what to do.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KERNEL, type Loaded, loaderOf, LOADERS, MODULE } from '../loaders/index.ts';
import { NativeProblem } from '../native/index.ts';
import type { Protocol } from '../port/protocol.ts';
import { shortPath, userPath } from '../package/paths.ts';
import { protocolProblem } from './protocol-shape.ts';
import { refuseBadSequence } from './sequence-text.ts';
import { UsageError } from './usage-error.ts';

/**
 * Long enough for any file that computes something, short enough that a file that never finishes is
 * noticed.
 */
const LOAD_MS_MAX = 10_000;

export interface LoadedProtocol {
  readonly path: string;
  readonly protocol: Protocol;
}

/** Names have no slash and no dot, so anything that has is a path. */
export function looksLikePath(text: string): boolean {
  return /[/\\]/.test(text) || loaderOf(text) !== null;
}

export async function loadProtocolFile(
  text: string,
  limitMs: number = LOAD_MS_MAX,
): Promise<LoadedProtocol> {
  const path = userPath(text);
  const there = statSync(path, { throwIfNoEntry: false });
  const isNamed = there?.isFile() === true || loaderOf(path) === KERNEL;
  if (there === undefined && !isNamed) throw new UsageError(`${text}: there is no such file`);
  const loader = isNamed ? loaderOf(path) : null;
  if (loader === null) {
    const kinds = LOADERS.map(({ what }) => what);
    throw new UsageError(`${text}: not ${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}`);
  }
  const { protocol, warnings } =
    loader === MODULE
      ? await importFile(path, text, limitMs)
      : await refuseBadSequence(text, () => refuseBadC(text, path, () => loader.load(path)));
  if (protocol === undefined) {
    throw new UsageError(
      `${text}: no default export; write "export default defineProtocol({ … })"`,
    );
  }
  const problem = protocolProblem(protocol);
  if (problem !== null) throw new UsageError(`${text}: ${loader.offers} ${problem}`);
  for (const warning of warnings) warn(warning.replaceAll(path, text));
  return { path, protocol: protocol as Protocol };
}

/** A file that is compiled: what is wrong with it comes as one line. */
async function refuseBadC<T>(text: string, path: string, load: () => T | Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof NativeProblem)) throw error;
    throw new UsageError(error.message.replaceAll(path, text));
  }
}

const warned = new Set<string>();

/** Once in a process, however often a file is loaded. */
function warn(line: string): void {
  if (warned.has(line)) return;
  warned.add(line);
  process.stderr.write(`stage2-stress: warning: ${line}\n`);
}

async function importFile(path: string, text: string, limitMs: number): Promise<Loaded> {
  const quiet = silenceTypelessWarning();
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    const late = new UsageError(
      `${text}: still loading after ${limitMs / 1000} s; a top-level await never ends`,
    );
    timer = setTimeout(reject, limitMs, late);
  });
  try {
    return await Promise.race([MODULE.load(path), tooLong]);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(loadingProblem(error, path, text));
  } finally {
    clearTimeout(timer);
    quiet();
  }
}

/**
 * Node warns about a module whose package.json has no "type". Where a user keeps a protocol of 15
 * lines that is none of our business, and standard error is for what is.
 */
function silenceTypelessWarning(): () => void {
  const emit = process.emitWarning.bind(process);
  const filtered = (warning: string | Error, ...rest: unknown[]): void => {
    const options = rest[0] as { code?: string } | undefined;
    const code = typeof options === 'object' ? options.code : rest[1];
    if (code !== 'MODULE_TYPELESS_PACKAGE_JSON') Reflect.apply(emit, process, [warning, ...rest]);
  };
  process.emitWarning = filtered;
  return () => {
    process.emitWarning = emit;
  };
}

/** `mine.ts:3: Expected ','`: where, as far as it can be found out, and the first line of what. */
function loadingProblem(error: unknown, path: string, text: string): string {
  if (isBelowNodeModules(error)) {
    return `${text}: Node runs no TypeScript below node_modules; copy the file to a folder of yours`;
  }
  const message = error instanceof Error ? error.message : String(error);
  const what = (message.split('\n')[0] as string).replaceAll(path, text);
  const where = error instanceof Error ? placeOf(error, path) : null;
  const place = where === null ? text : shown(where, path, text);
  return `${place}: ${what === '' ? 'threw while loading' : what}`;
}

function isBelowNodeModules(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING';
}

interface Place {
  readonly file: string;
  readonly line: number;
}

function shown(place: Place, path: string, text: string): string {
  return `${place.file === path ? text : shortPath(place.file)}:${place.line}`;
}

function placeOf(error: Error, path: string): Place | null {
  const stack = error.stack ?? '';
  // Syntax errors: Node puts `/path/mine.ts:3` on the first line. Errors thrown: frames, the
  // innermost first.
  const heading = /^(\S+):(\d+)$/.exec(stack.split('\n')[0] as string);
  if (heading) return { file: asPath(heading[1] as string), line: Number(heading[2]) };
  const frames = [...stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):\d+\)?$/gm)].map((match) => ({
    file: asPath(match[1] as string),
    line: Number(match[2]),
  }));
  const own = frames.find((frame) => frame.file === path);
  if (own) return own;
  return error instanceof SyntaxError ? placeBySyntaxCheck(path) : null;
}

/**
 * V8 keeps the place of a JavaScript syntax error to itself and prints it only when a program dies
 * of it.
 */
function placeBySyntaxCheck(path: string): Place | null {
  const check = spawnSync(process.execPath, ['--check', path], {
    encoding: 'utf8',
    timeout: LOAD_MS_MAX,
  });
  const heading = /^(\S+):(\d+)$/m.exec(check.stderr ?? '');
  return heading ? { file: asPath(heading[1] as string), line: Number(heading[2]) } : null;
}

function asPath(text: string): string {
  return text.startsWith('file://') ? fileURLToPath(text.replace(/\?.*$/, '')) : text;
}
