/**
 * What the search leaves out because nobody can tell. Each can be switched off: a test compares what
 * is found with it and without.
 */
export interface Reductions {
  /**
   * A prefix is given up as soon as some thread has no way through whatever follows it. Off: not
   * before that thread has seen all that it will see.
   */
  readonly lookAhead: boolean;
  /**
   * Of combinations of skeletons that differ only in which of several like threads has which, one is
   * gone through and stands for the others. Off: each by itself.
   */
  readonly symmetry: boolean;
  /**
   * When a store takes effect to an entry that walks can only come to afterwards, threads that walk are not
   * told (reading.ts). Off: they are.
   */
  readonly sealing: boolean;
  /** The same of a store to an entry that walks can come to no more. Off: they are told. */
  readonly unlinked: boolean;
  /**
   * Of neighbours of one thread that no other thread can tell apart, program order is the only one
   * (silence.ts). Off: each order by itself.
   */
  readonly programOrder: boolean;
}

export const REDUCTIONS: Reductions = Object.freeze({
  lookAhead: true,
  symmetry: true,
  sealing: true,
  unlinked: true,
  programOrder: true,
});
