/**
 * Words that a trial shares with whoever watches it: how far it is. A trial that stands still here
 * and takes processor time is in a loop of its own.
 */
export const STAGE = { starting: 0, loading: 1, alone: 2, unrolled: 3 } as const;

const WORDS = { stage: 0, operations: 1 } as const;

/** One writer, the trial; one reader. */
export interface ProgressWords {
  readonly buffer: SharedArrayBuffer;
  stage(): number;
  /** Operations begin at none. */
  enter(stage: number): void;
  /** Operations of the port carried out in this stage. */
  operations(): number;
  count(): void;
}

export function progressWords(
  buffer: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
): ProgressWords {
  const words = new Int32Array(buffer);
  return {
    buffer,
    stage: () => Atomics.load(words, WORDS.stage),
    enter(stage) {
      Atomics.store(words, WORDS.operations, 0);
      Atomics.store(words, WORDS.stage, stage);
    },
    operations: () => Atomics.load(words, WORDS.operations),
    count: () => void Atomics.add(words, WORDS.operations, 1),
  };
}
