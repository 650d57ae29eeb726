/** `explore` as a function: the same searches as the command, and the whole result as plain data. */
import type { BlockLevel } from '../arch/geometry.ts';
import { type ExplorationResult, runExploration } from '../exploration/index.ts';
import type { Protocol } from '../port/index.ts';
import { explorePlan, type ExploreRequest as Asked } from '../request/explore.ts';
import type { ExploreRun } from '../result/explore.ts';
import { pathOrName } from './path-or-name.ts';

/** What is left out is chosen as the command would. */
export interface ExploreRequest extends Omit<Asked, 'protocols' | 'levels' | 'vcpus' | 'against'> {
  /** Protocols themselves, names of built-in ones, and files. */
  readonly protocols?: readonly (Protocol | string | URL)[];
  /** Or one. */
  readonly protocol?: Protocol | string | URL;
  /** Beside each of them, run by a second hypervisor on the same entry. */
  readonly against?: Protocol | string | URL;
  readonly levels?: readonly BlockLevel[];
  /** Or one. */
  readonly level?: BlockLevel;
  readonly vcpus?: number | readonly number[];
  readonly signal?: AbortSignal;
  /** A search has ended. */
  readonly onRun?: (run: ExploreRun) => void;
}

/**
 * Throws UsageError. A protocol that throws is a failure in the result; an abort ends it in order: the
 * result has what was done.
 */
export async function explore(request: ExploreRequest = {}): Promise<ExplorationResult> {
  const { signal = new AbortController().signal, onRun = () => {}, ...rest } = request;
  return runExploration(await explorePlan(asked(rest)), {
    signal,
    argv: [],
    onProgress: () => {},
    onRun: (run) => onRun(run),
    onFailure: () => {},
  });
}

function asked(request: ExploreRequest): Asked {
  const { protocol, protocols, against, level, levels, vcpus, ...rest } = request;
  const named = protocols ?? (protocol === undefined ? undefined : [protocol]);
  const wanted = levels ?? (level === undefined ? undefined : [level]);
  return {
    ...rest,
    ...(named === undefined ? {} : { protocols: named.map(itselfOrName) }),
    ...(against === undefined ? {} : { against: itselfOrName(against) }),
    ...(wanted === undefined ? {} : { levels: wanted }),
    ...(vcpus === undefined ? {} : { vcpus: typeof vcpus === 'number' ? [vcpus] : vcpus }),
  };
}

function itselfOrName(given: Protocol | string | URL): Protocol | string {
  return typeof given === 'string' || given instanceof URL ? pathOrName(given) : given;
}
