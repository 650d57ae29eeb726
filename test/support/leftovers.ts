/**
 * What helpers of tests leave behind is cleared after each test file. A helper cannot ask for that itself
 * where files share a process: it is loaded for the first of them only.
 */
import { afterAll } from 'vitest';

const KEY = Symbol.for('stage2-stress.test.leftovers');
type Holder = { [KEY]?: (() => void)[] };
/** This file is run for each test file, its helpers are not: both find the same list here. */
const leftovers = ((globalThis as Holder)[KEY] ??= []);

/** `clear` is called when the test file that runs now is done. */
export function clearLater(clear: () => void): void {
  leftovers.push(clear);
}

afterAll(() => {
  for (const clear of leftovers.splice(0)) clear();
});
