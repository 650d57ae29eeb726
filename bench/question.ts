/**
 * A benchmark asks one question. It names what is measured (its variants), opens one of them in a
 * process of its own, and says in words what the figures come to.
 *
 * A process for each variant, because the JIT specialises code by what it has seen: two variants in
 * one process would measure each other.
 */
import type { BenchRun } from '../src/result/bench.ts';

export interface Question {
  /** Name of the file without `.bench.ts`, and of the row if there is one variant only. */
  readonly name: string;
  readonly asks: string;
  readonly unit: string;
  readonly variants: readonly string[];
  /** Compared with the native peer's benchmark of the same name. */
  readonly hasPeer: boolean;
  /** Least ratio to the peer that is good enough. */
  readonly aim: number | null;
  open(variant: string): Subject | Promise<Subject>;
  conclude(runs: readonly BenchRun[]): string;
}

/** `T`: what one sample comes to; of a benchmark operations per second. */
export interface Subject<T = number> {
  /** Measures for about `ms`. */
  sample(ms: number): Promise<T>;
  close(): void | Promise<void>;
}

/** Nanoseconds for one operation. */
export const nsOf = (rate: number): number => 1e9 / rate;
