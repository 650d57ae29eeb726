/** What every command's result opens with: the part of the JSON contract they share. */
import type { ExitCode, Verdict } from './exit-code.ts';
import type { MachineInfo } from './machine-info.ts';
import type { Shard } from './shard.ts';

export interface ResultHeader<CommandName extends string> {
  readonly tool: 'stage2-stress';
  readonly schema: 1;
  readonly command: CommandName;
  readonly verdict: Verdict;
  readonly exitCode: ExitCode;
  /** Why the verdict is what it is, one line each; empty for a plain pass. */
  readonly reasons: readonly string[];
  readonly seed: number;
  readonly argv: readonly string[];
  readonly version: string;
  readonly machine: MachineInfo;
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly interrupted: boolean;
  /** The part of the campaign this is; absent for a whole one. */
  readonly shard?: Shard;
}
