/** Paths as the user meant them. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from './root.ts';

/**
 * The folder relative paths start from. `npm run` changes into the package's folder and keeps the
 * user's own in INIT_CWD; without this `npm run stress -- --protocol ./mine.ts` from another folder
 * would look in the wrong place.
 */
export function userFolder(): string {
  const initial = process.env['INIT_CWD'];
  return process.cwd() === PACKAGE_ROOT && initial !== undefined && initial !== ''
    ? initial
    : process.cwd();
}

export function userPath(text: string): string {
  return path.resolve(userFolder(), text.startsWith('file://') ? fileURLToPath(text) : text);
}

/** A path for messages: short where it is below the user's folder or the package's. */
export function shortPath(file: string): string {
  for (const folder of [userFolder(), PACKAGE_ROOT]) {
    const relative = path.relative(folder, file);
    if (relative !== '' && !relative.startsWith('..')) return relative;
  }
  return file;
}
