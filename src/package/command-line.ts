/**
 * Commands as they are printed, for the user to run: in a clone by npm's scripts, else by npx. Whoever stands
 * outside of the clone and came in by npm's `--prefix` needs it again.
 */
import path from 'node:path';
import { userFolder } from './paths.ts';
import { IS_BUILT, PACKAGE_ROOT } from './root.ts';

/** `words`: what follows `npm run` in a clone, such as `replay -- TOKEN`. */
export function commandLine(words: string, isBuilt: boolean = IS_BUILT): string {
  if (!isBuilt)
    return `npm ${cameByPrefix() ? `--prefix ${shellWord(PACKAGE_ROOT)} ` : ''}run ${words}`;
  // npm's own flags, and the mark between them and the program's.
  return `npx stage2-stress ${words.replace(/^--silent /, '').replace(/ --(?= |$)/, '')}`;
}

/** Did npm come here from a folder in which it finds no package of ours? */
export function cameByPrefix(): boolean {
  const isElsewhere = path.relative(PACKAGE_ROOT, userFolder()).startsWith('..');
  return isElsewhere && process.cwd() === PACKAGE_ROOT;
}

/** An argument as a shell takes it. */
export function shellWord(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", String.raw`'\''`)}'`;
}
