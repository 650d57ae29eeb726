/** `stress` as a function: the same campaign as the command, and the result as plain data. */
import { runTriedStress } from '../preflight/index.ts';
import { BUILT_IN } from '../request/registry.ts';
import { type StressRequest as Asked, stressOptions } from '../request/stress.ts';
import type { StressResult } from '../result/stress.ts';
import type { StressProgress } from '../stress/plan/plan.ts';
import { pathOrName } from './path-or-name.ts';

/** What is left out is chosen as the command would. */
export interface StressRequest extends Omit<Asked, 'protocols' | 'against'> {
  /** Names of built-in ones, and files: functions do not cross threads. */
  readonly protocols?: readonly (string | URL)[];
  readonly against?: string | URL;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: StressProgress) => void;
}

/** Throws UsageError. An abort ends the campaign in order: the result has what was done. */
export async function stress(request: StressRequest = {}): Promise<StressResult> {
  const { signal = new AbortController().signal, onProgress = () => {}, ...rest } = request;
  const { protocols, against, ...asked } = rest;
  const named = protocols === undefined ? {} : { protocols: protocols.map(pathOrName) };
  const beside = against === undefined ? {} : { against: pathOrName(against) };
  return runTriedStress(await stressOptions({ ...asked, ...named, ...beside }, BUILT_IN), {
    signal,
    onProgress,
  });
}
