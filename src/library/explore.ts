/** `explore` as a function: every outcome of one protocol on one CPU. */
import type { CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import { BUILT_IN, selectProtocols } from '../cli/registry.ts';
import { loaderOf } from '../loaders/index.ts';
import { exploreProtocol } from '../explore/protocol/index.ts';
import type { Protocol } from '../port/index.ts';
import type { ExploreRun } from '../result/explore.ts';
import { pathOrName } from './path-or-name.ts';

export interface ExploreRequest {
  /** The protocol itself, the name of a built-in one, or a file. */
  readonly protocol: Protocol | string | URL;
  readonly cpu?: Partial<CpuModel>;
  /** 2 where nothing is said. */
  readonly level?: BlockLevel;
  /** 1 where nothing is said. */
  readonly vcpus?: number;
  /** Of each vCPU at most, 1 to 3; 2 where nothing is said. */
  readonly accesses?: number;
}

/** Throws UsageError, ExploreUnsupported, or what the protocol throws as ProtocolThrew. */
export async function explore({ protocol, ...options }: ExploreRequest): Promise<ExploreRun> {
  if (!(protocol instanceof URL) && typeof protocol !== 'string') {
    return exploreProtocol({ protocol, ...options });
  }
  const [selected] = await selectProtocols([pathOrName(protocol)], BUILT_IN);
  if (selected === undefined) throw new Error('one name selects one protocol');
  const { ref } = selected;
  if (ref.from === 'built-in') return exploreProtocol({ protocol: selected.protocol, ...options });
  const source = {
    kind: 'file',
    name: ref.path,
    text: loaderOf(ref.path)?.text(ref.path) ?? '',
  } as const;
  return exploreProtocol({ protocol: selected.protocol, source, ...options });
}
