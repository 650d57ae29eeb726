/**
 * A tree in an archive: the few files that are needed, unpacked once by the system's tar into the cache
 * of the user. Everywhere else the archive goes by its own name, as a folder would.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { NativeProblem } from '../native/index.ts';

export const ARCHIVE = /\.(?:tar|tar\.gz|tgz|tar\.xz|txz)$/;
/** A kernel's source takes seconds. */
const UNPACK_MS_MAX = 300_000;

/** Where the files of a tree lie: the folder itself, or what was unpacked. Throws NativeProblem. */
export function rootOf(named: string, files: readonly string[]): string {
  const there = statSync(named, { throwIfNoEntry: false });
  if (there?.isFile() !== true || !ARCHIVE.test(named)) return named;
  const content = [path.resolve(named), there.size, there.mtimeMs, files].join('\0');
  const name = createHash('sha256').update(content).digest('hex').slice(0, 32);
  const kept = path.join(cacheFolder(), name);
  if (!existsSync(kept)) unpack(named, files, kept);
  const [top, ...more] = readdirSync(kept);
  return top !== undefined && more.length === 0 ? path.join(kept, top) : kept;
}

function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  const root = path.isAbsolute(base) ? base : path.join(homedir(), '.cache');
  return path.join(root, 'stage2-stress/trees');
}

/** Whole or not at all: another process may be at the same. */
function unpack(archive: string, files: readonly string[], kept: string): void {
  mkdirSync(path.dirname(kept), { recursive: true });
  const folder = mkdtempSync(`${kept}-`);
  // With or without a folder, or two, around the tree; patterns that fit nothing are an error of tar's.
  const patterns = files.flatMap((file) => [file, `*/${file}`, `./*/${file}`]);
  const how = ['--wildcards', '--no-wildcards-match-slash', '--no-same-owner'];
  let said = '';
  try {
    const args = ['-x', '-f', path.resolve(archive), '-C', folder, ...how, ...patterns];
    execFileSync('tar', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: UNPACK_MS_MAX });
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    said = stderr?.toString().trim().split('\n')[0] ?? message;
  }
  if (readdirSync(folder).length === 0) {
    rmSync(folder, { recursive: true });
    throw new NativeProblem(
      `${archive}: nothing of a kernel tree could be unpacked (tar: ${said || 'it says nothing'})`,
    );
  }
  try {
    renameSync(folder, kept);
  } catch {
    rmSync(folder, { recursive: true });
    if (!existsSync(kept)) throw new NativeProblem(`${archive}: ${kept} cannot be written`);
  }
}
