/** The explorer's search alone, without unrolling before and judging after. */
import { DEFAULT_CPU } from '../src/arch/cpu-model.ts';
import { armModel, search, type SearchStats } from '../src/explore/model/index.ts';
import { EXPLORE_BOUNDS } from '../src/explore/protocol/machine/bounds.ts';
import type { GuestProgram } from '../src/explore/protocol/machine/guest.ts';
import { unrollHost } from '../src/explore/protocol/run/host.ts';
import { MemoryMap } from '../src/explore/protocol/machine/memory-map.ts';
import { scenarioOf } from '../src/explore/protocol/run/scenario.ts';
import { plainChange, type Protocol } from '../src/port/index.ts';

/** Makes a search ready; what is handed back runs it, anew at each call. */
export function prepareSearch(
  protocol: Protocol,
  vcpus: number,
  program: GuestProgram,
): () => SearchStats {
  const map = new MemoryMap(plainChange(protocol), 1, EXPLORE_BOUNDS.tables);
  const host = unrollHost(protocol, map, 1, vcpus, EXPLORE_BOUNDS);
  const { system } = scenarioOf(host, DEFAULT_CPU, program, EXPLORE_BOUNDS.nodes);
  const bounds = { ...EXPLORE_BOUNDS, visits: 1 };
  return () => search(system, armModel('ets2'), bounds, () => 'go-on');
}
