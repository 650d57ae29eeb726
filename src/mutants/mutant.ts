/**
 * A mutant is a protocol or a machine with one seeded bug. It exists to be caught: every rule of
 * the checker has at least one, and its correct twin must pass under the same settings.
 */
import type { MachineBug, Protocol } from '../port/index.ts';

export interface Mutant {
  readonly name: string;
  /** What is wrong, one sentence. */
  readonly what: string;
  /** The real commit, review or architecture rule that shows the bug is one. */
  readonly evidence: string;
  /** The rule that must catch it. */
  readonly rule: string;
  /** The correct protocol it was made from: run alongside, it must pass. */
  readonly twin: string;
  /**
   * `protocol`: `protocol` below replaces the twin. `machine`: the twin runs on a machine with
   * `bug`.
   */
  readonly seed:
    | { readonly kind: 'protocol'; readonly protocol: Protocol }
    | { readonly kind: 'machine'; readonly bug: MachineBug };
}
