/** How V8 is set for threads that run a part of a group. */
import { setFlagsFromString } from 'node:v8';
import { exposeCollector, SEMI_SPACE_MB } from './collections.ts';

const FLAGS = [
  // Flags, because resource limits set only the maximum.
  `--min-semi-space-size=${SEMI_SPACE_MB}`,
  `--max-semi-space-size=${SEMI_SPACE_MB}`,
  // An old space that starts small is marked and compacted half a second after the start, in a round.
  '--initial-old-space-size=128',
  // Bytecode that may be inlined into one function, and of a function that may be. With V8's own
  // limits a miss is five functions that call one another, and a walk takes 1.4 times as long.
  '--max-inlined-bytecode-size-cumulative=4000',
  '--max-inlined-bytecode-size=2000',
];

let areSet = false;

/**
 * For threads made afterwards, and for what is optimised from now on. Once per process: threads that
 * still run, or are about to end, read flags while they are written, and Node warns that this may
 * crash.
 */
export function setFlagsOnce(): void {
  if (areSet) return;
  areSet = true;
  for (const flag of FLAGS) setFlagsFromString(flag);
  exposeCollector();
}
