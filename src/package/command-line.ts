/** Commands as they are printed, for the user to run: in a clone by npm's scripts, else by npx. */
import { IS_BUILT } from './root.ts';

/** `words`: what follows `npm run` in a clone, such as `replay -- TOKEN`. */
export function commandLine(words: string, isBuilt: boolean = IS_BUILT): string {
  if (!isBuilt) return `npm run ${words}`;
  // npm's own flags, and the mark between them and the program's.
  return `npx stage2-stress ${words.replace(/^--silent /, '').replace(/ --(?= |$)/, '')}`;
}
