/**
 * Many entries, one flush: what a walk has unmapped is gathered, and flushed when the walk is over; the
 * pages of the tables it took off are freed after that. As a kernel's gather does it:
 *
 *   range   from the lowest to the highest address, gaps and all
 *   hint    the level of the leaves, as long as all have the same; none from the first table on: a hint
 *           names the level of leaves, and those below a table are of another one than its entry
 *
 * Sequences of port operations, nothing more, as in sequences.ts.
 */
import type { Level } from '../arch/geometry.ts';
import type { Cpu } from './cpu.ts';
import { flushVmid } from './sequences.ts';

export interface Gather {
  /** Bytes, half-open; both 0: nothing was unmapped. */
  readonly start: number;
  readonly end: number;
  /** Level of every entry; 0: not known. */
  readonly ttl: 0 | 1 | 2 | 3;
}

export const NOTHING_GATHERED: Gather = Object.freeze({ start: 0, end: 0, ttl: 0 });

/** `gather`, and an entry of `level` that was cleared: `what` it held there. */
export function gathered(
  gather: Gather,
  ipa: number,
  size: number,
  level: Level,
  what: 'leaf' | 'table',
): Gather {
  const ttl = what === 'table' ? 0 : level;
  if (gather.end === 0) return { start: ipa, end: ipa + size, ttl };
  return {
    start: Math.min(gather.start, ipa),
    end: Math.max(gather.end, ipa + size),
    ttl: gather.ttl === ttl ? ttl : 0,
  };
}

/**
 * One flush of all of it: by one range operation, by an operation for each `stride` bytes, or of the
 * whole VMID.
 */
export function flushGathered(cpu: Cpu, gather: Gather, by: 'range' | 'vmid' | number): void {
  const { start, end, ttl } = gather;
  if (end === 0) return;
  if (by === 'vmid') return flushVmid(cpu);
  cpu.dsb('ishst');
  if (by === 'range') cpu.tlbi({ kind: 'ripas2e1is', ipa: start, size: end - start, ttl });
  else for (let ipa = start; ipa < end; ipa += by) cpu.tlbi({ kind: 'ipas2e1is', ipa, ttl });
  cpu.dsb('ish');
  cpu.tlbi({ kind: 'vmalle1is' });
  cpu.dsb('ish');
  cpu.isb();
}
