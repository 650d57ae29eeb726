/** `explore` as a function: every outcome of one protocol on one CPU. */
import type { CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import { sourceOf } from '../cli/explore-plan.ts';
import { BUILT_IN, selectProtocols } from '../cli/registry.ts';
import { sequenceText } from '../cli/sequence-text.ts';
import { UsageError, within } from '../cli/usage-error.ts';
import { exploreProtocol } from '../explore/protocol/index.ts';
import type { Protocol } from '../port/index.ts';
import type { ExploreRun } from '../result/explore.ts';
import { pathOrName } from './path-or-name.ts';

export interface ExploreRequest {
  /** The protocol itself, the name of a built-in one, or a file. */
  readonly protocol?: Protocol | string | URL;
  /** Or plain steps, in place of a protocol: "str 0; dsb ishst; …" (docs/sequences.md). */
  readonly sequence?: string;
  readonly cpu?: Partial<CpuModel>;
  /** 2 where nothing is said. */
  readonly level?: BlockLevel;
  /** 1 where nothing is said. */
  readonly vcpus?: number;
  /** Of each vCPU at most, 1 to 3; 2 where nothing is said. */
  readonly accesses?: number;
}

/** Throws UsageError, ExploreUnsupported, or what the protocol throws as ProtocolThrew. */
export async function explore(request: ExploreRequest): Promise<ExploreRun> {
  const { protocol, sequence, ...options } = request;
  if ((protocol === undefined) === (sequence === undefined)) {
    throw new UsageError('explore: give either a protocol or a sequence');
  }
  if (typeof protocol === 'object' && !(protocol instanceof URL)) {
    return exploreProtocol({ protocol, ...options });
  }
  if (sequence !== undefined) within('sequence', () => sequenceText(sequence));
  const named = protocol === undefined ? [] : [pathOrName(protocol)];
  const [selected] = await selectProtocols(named, BUILT_IN, sequence);
  if (selected === undefined) throw new Error('one name selects one protocol');
  const source = sourceOf(selected.ref);
  return exploreProtocol({ protocol: selected.protocol, source, ...options });
}
