/** `stress` as a function: the same campaign as the command, and the result as plain data. */
import type { CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel, Granule } from '../arch/geometry.ts';
import type { Flags } from '../cli/options.ts';
import { BUILT_IN } from '../cli/registry.ts';
import { stressOptions } from '../cli/stress-options.ts';
import type { StressResult } from '../result/stress.ts';
import { runStress } from '../stress/campaign.ts';
import type { Delay, StressProgress } from '../stress/plan.ts';
import { pathOrName } from './path-or-name.ts';

/** Each field is the flag of that name; what is left out is chosen as the command would. */
export interface StressRequest {
  /** Names of built-in ones, and files: functions do not cross threads. */
  readonly protocols?: readonly (string | URL)[];
  readonly mutants?: readonly string[];
  readonly scenarios?: readonly string[];
  /** Over the default CPU and the one each protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
  readonly granule?: Granule;
  readonly levels?: readonly BlockLevel[];
  readonly vcpus?: readonly number[];
  readonly rounds?: number;
  readonly repeats?: number;
  /** Per round. */
  readonly transitions?: number;
  readonly timeMs?: number;
  /** Ends at the first violation. */
  readonly failFast?: boolean;
  readonly seed?: number;
  readonly reorder?: boolean;
  readonly delays?: readonly Delay[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: StressProgress) => void;
}

/** Throws UsageError. An abort ends the campaign in order: the result has what was done. */
export async function stress(request: StressRequest = {}): Promise<StressResult> {
  const { signal = new AbortController().signal, onProgress = () => {} } = request;
  const given: { readonly [F in keyof Flags]: Flags[F] | undefined } = {
    protocol: request.protocols?.map(pathOrName),
    mutant: request.mutants,
    scenario: request.scenarios,
    cpu: request.cpu,
    granule: request.granule,
    level: request.levels,
    vcpus: request.vcpus,
    rounds: request.rounds,
    repeats: request.repeats,
    transitions: request.transitions,
    time: request.timeMs,
    seed: request.seed,
    'fail-fast': request.failFast === true ? true : undefined,
    reorder: request.reorder === true ? true : undefined,
    delay: request.delays,
  };
  const flags = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Flags;
  const options = await stressOptions({ flags, positionals: [], argv: [] }, BUILT_IN);
  return runStress(options, { signal, onProgress });
}
