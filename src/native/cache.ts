/**
 * Compiled modules by the content they were compiled from, outside any clone: the folder that the XDG
 * base directories name for caches. A cache that cannot be used costs time, nothing else.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

export interface Compiled {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** One line each, as `file:line:column: what`. */
  readonly warnings: readonly string[];
}

const KEPT = 200;
const NAME = /^[0-9a-f]{64}\.(?:wasm|json)$/;

/** `$XDG_CACHE_HOME/stage2-stress/c`, `~/.cache` where that is not set (XDG: not absolute is not set). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['XDG_CACHE_HOME'] ?? '';
  const base = path.isAbsolute(given) ? given : path.join(homedir(), '.cache');
  return path.join(base, 'stage2-stress', 'c');
}

/** Where the process may write: the cache, or among the temporary files. */
function folders(): readonly string[] {
  return [cacheFolder(), path.join(tmpdir(), `stage2-stress-c-${process.getuid?.() ?? 'user'}`)];
}

export function readCache(key: string): Compiled | null {
  for (const folder of folders()) {
    try {
      const file = path.join(folder, `${key}.wasm`);
      const warnings = JSON.parse(
        readFileSync(path.join(folder, `${key}.json`), 'utf8'),
      ) as string[];
      const wasm = new Uint8Array(readFileSync(file));
      if (!WebAssembly.validate(wasm)) continue;
      const now = new Date();
      utimesSync(file, now, now);
      return { wasm, warnings };
    } catch {
      // Not there, half there, or somebody else's.
    }
  }
  return null;
}

/** False if there is no place to write to. The module last: what has one has its warnings, too. */
export function writeCache(key: string, { wasm, warnings }: Compiled): boolean {
  for (const folder of folders()) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeWhole(path.join(folder, `${key}.json`), JSON.stringify(warnings));
      writeWhole(path.join(folder, `${key}.wasm`), wasm);
      prune(folder);
      return true;
    } catch {
      // The next folder.
    }
  }
  return false;
}

function writeWhole(file: string, content: string | Uint8Array): void {
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, content);
  renameSync(part, file);
}

/** The oldest go when there are too many. */
function prune(folder: string): void {
  const modules = readdirSync(folder).filter((name) => NAME.test(name) && name.endsWith('.wasm'));
  if (modules.length <= KEPT) return;
  const dated = modules.map((name) => ({
    name,
    usedMs: statSync(path.join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
  dated.sort((a, b) => a.usedMs - b.usedMs);
  for (const { name } of dated.slice(0, modules.length - KEPT)) {
    rmSync(path.join(folder, name), { force: true });
    rmSync(path.join(folder, name.replace(/wasm$/, 'json')), { force: true });
  }
}
