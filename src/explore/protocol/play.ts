/** A protocol in the small machine, without a search: every way through it, and what it did. */
import { announcedBbm, type CpuModel } from '../../arch/cpu-model.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { type BlockLevel, geometryOf, type SmallGranule } from '../../arch/geometry.ts';
import { plainChange, type Protocol } from '../../port/index.ts';
import { BoundReached, EXPLORE_BOUNDS, type ExploredScenario } from './machine/bounds.ts';
import { machineOf } from './cpu.ts';
import { runProtocol } from './start.ts';
import { judgeOperations } from './judge/judge-operations.ts';
import { MemoryMap } from './machine/memory-map.ts';

/** Throws ProtocolFailure. A bound that is met ends it: what ran, ran. */
export function playProtocol(
  protocol: Protocol,
  level: BlockLevel,
  bbm: BbmLevel,
  granule: SmallGranule = 'tiny',
): void {
  const map = new MemoryMap(plainChange(protocol), level, EXPLORE_BOUNDS.tables, {
    geometry: geometryOf(granule),
    ...(protocol.vmid === undefined ? {} : { vmid: protocol.vmid }),
  });
  try {
    runProtocol(protocol, map, bbm, 1, EXPLORE_BOUNDS);
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
  }
}

/** Do its operations alone break a rule? Much cheaper than a search, which may find more. */
export function breaksByItself(
  protocol: Protocol,
  cpu: CpuModel,
  level: BlockLevel,
  scenario: ExploredScenario,
  granule: SmallGranule,
): boolean {
  const map = new MemoryMap(
    plainChange(protocol),
    level,
    EXPLORE_BOUNDS.tables,
    machineOf(cpu, scenario, protocol, granule),
  );
  const bbm = announcedBbm(cpu);
  try {
    const host = runProtocol(protocol, map, bbm, 1, EXPLORE_BOUNDS);
    return judgeOperations(host, bbm, protocol).violations.length > 0;
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
    return false;
  }
}
