/** The exit codes users and CI rely on; one table, nowhere repeated. */
export const EXIT = {
  /** Every check passed. */
  pass: 0,
  /** A rule was violated, a litmus verdict disagreed, a mutant survived. Outranks the others. */
  fail: 1,
  /** Bad input: nothing ran, nothing was written. */
  usage: 2,
  /** Nothing ran, the deterministic control was missed, or a bound stopped what had to finish. */
  inconclusive: 3,
  /** Not possible on this machine. */
  impossible: 4,
  /** A bug of the harness, or a worker that died. */
  internal: 70,
  /** Interrupted; partial results were written. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type Verdict = 'pass' | 'fail' | 'inconclusive';
