/** Folders: of more files than these nobody knows what is in them, and they get rooms. */
import { posix } from 'node:path';

export const FILES_MAX = 25;

/** How many of the files lie in each folder itself. */
export function filesPerFolder(paths: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = posix.dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}
