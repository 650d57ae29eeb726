/**
 * A look at a protocol without a search: it is unrolled, as for any exploration, and its books of
 * table pages are read at the end of each way through it. Takes milliseconds.
 */
import { announcedBbm, type CpuModel } from '../../arch/cpu-model.ts';
import type { BlockLevel } from '../../arch/geometry.ts';
import { plainChange, type Protocol } from '../../port/index.ts';
import { BoundReached, EXPLORE_BOUNDS } from './machine/bounds.ts';
import { machineOf } from './cpu.ts';
import { runProtocol } from './start.ts';
import { MemoryMap } from './machine/memory-map.ts';
import type { Host } from './run/host.ts';
import type { BookFinding } from './run/page-book.ts';
import { underWatch } from './run/time-limit.ts';

/**
 * What is wrong with its table pages, one finding a rule. Empty, too, if a bound was met. Throws
 * ProtocolFailure if it throws or does not do the same again. Has no limit of time: it is for a thread
 * that another one watches.
 */
export function glanceAt(
  protocol: Protocol,
  cpu: CpuModel,
  level: BlockLevel,
): readonly BookFinding[] {
  const machine = machineOf(cpu, 'adjust-populated', protocol);
  const map = new MemoryMap(plainChange(protocol), level, EXPLORE_BOUNDS.tables, machine);
  const bbm = announcedBbm(cpu);
  try {
    const unrolled = (): Host => runProtocol(protocol, map, bbm, 1, EXPLORE_BOUNDS);
    const { paths } = underWatch(unrolled);
    const findings = paths.flatMap((path) => path.findings);
    return findings.filter(({ rule }, i) => findings.findIndex((f) => f.rule === rule) === i);
  } catch (error) {
    if (error instanceof BoundReached) return [];
    throw error;
  }
}
