/** What a merged result says of the results it was made from. */
import type { ExitCode, Verdict } from './exit-code.ts';
import type { MachineInfo } from './machine-info.ts';
import type { Shard } from './shard.ts';

export interface MergeSource {
  /** Flags as given, without those that say which part this is and where it is written. */
  readonly argv: readonly string[];
  readonly startedAt: string;
  /** When each of its parts started, where it was resumed; absent where it is of one piece. */
  readonly parts?: readonly string[];
  readonly elapsedMs: number;
  readonly seed: number | null;
  /** Null for a whole campaign. */
  readonly shard: Shard | null;
  /** Index into `machines`. */
  readonly machine: number;
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  readonly interrupted: boolean;
  /** Unfinished, and the same part was finished by another: its verdict does not count. */
  readonly superseded: boolean;
}

export interface Merged {
  /** Environments that differ in anything a number depends on. */
  readonly machines: readonly MachineInfo[];
  readonly sources: readonly MergeSource[];
  /** Results given more than once, which were left out. */
  readonly duplicates: number;
}
