/** Which files are the harness's own: what a protocol calls, and what calls it. */
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OURS = ['src', 'workers', 'node_modules'].map((name) => path.join(ROOT, name) + path.sep);

export function isHarness(file: string): boolean {
  return OURS.some((folder) => file.startsWith(folder));
}
