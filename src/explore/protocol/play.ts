/** A protocol in the small machine, without a search: every way through it, and what it did. */
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { BlockLevel } from '../../arch/geometry.ts';
import type { Protocol } from '../../port/index.ts';
import { BoundReached, EXPLORE_BOUNDS } from './bounds.ts';
import { runProtocol } from './explore.ts';
import { MemoryMap } from './memory-map.ts';

/** Throws ProtocolThrew. A bound that is met ends it: what ran, ran. */
export function playProtocol(protocol: Protocol, level: BlockLevel, bbm: BbmLevel): void {
  const map = new MemoryMap(protocol.kind, level, EXPLORE_BOUNDS.tables);
  try {
    runProtocol(protocol, map, bbm, 1, EXPLORE_BOUNDS);
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
  }
}
