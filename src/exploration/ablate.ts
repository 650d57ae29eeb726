/** Ablation: which step of a protocol is needed. One search for each variant and CPU. */
import {
  ablationRows,
  type Explored,
  recordSteps,
  type Variant,
  variantNamed,
  variantsOf,
} from '../ablation/index.ts';
import type { BlockLevel, SmallGranule } from '../arch/geometry.ts';
import { playProtocol } from '../explore/protocol/play.ts';
import { cpuKey } from '../explore/protocol/token.ts';
import type { Protocol } from '../port/protocol.ts';
import type { ExploreRun } from '../result/explore.ts';
import type { Search } from '../request/explore.ts';
import { variantSource } from '../request/variant-name.ts';

/** Throws ProtocolFailure. */
export function variantsOn(
  protocol: Protocol,
  level: BlockLevel,
  granule: SmallGranule = 'tiny',
): readonly Variant[] {
  const steps = recordSteps(protocol, (tapped, bbm) => playProtocol(tapped, level, bbm, granule));
  return variantsOf(protocol, steps);
}

/** Null if the protocol has no such variant: it has changed. */
export function variantOn(
  protocol: Protocol,
  level: BlockLevel,
  code: string,
  granule: SmallGranule = 'tiny',
): Protocol | null {
  return variantNamed(variantsOn(protocol, level, granule), code)?.protocol ?? null;
}

/** The search of a variant, in place of the protocol's own. */
export function searchOf(search: Search, { code, protocol }: Variant): Search {
  const source = variantSource(search.subject.source, code);
  return { ...search, subject: { ...search.subject, protocol, source, exhibit: null } };
}

export interface Ablated extends Explored {
  readonly search: Search;
  readonly tried: readonly Variant[];
}

/** The runs of the protocols as they are, each with the table of its protocol over all its CPUs. */
export function withAblations(all: readonly Ablated[]): readonly ExploreRun[] {
  const keyOf = ({ search }: Ablated): string =>
    JSON.stringify([
      [search.subject.source?.kind, search.subject.source?.name ?? search.subject.protocol.name],
      [
        search.level,
        search.granule,
        search.regions,
        search.vcpus,
        search.scenario,
        search.accesses,
      ],
    ]);
  return all.map((one) => {
    const own = all.filter((other) => keyOf(other) === keyOf(one));
    const rows = ablationRows(one.search.subject.protocol, one.tried, own);
    return { ...one.base, ablation: rows };
  });
}

export function cpuTextOf({ cpu, vcpus }: Search): string {
  return cpuKey(cpu, vcpus);
}
