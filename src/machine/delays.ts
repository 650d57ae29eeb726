/**
 * Delay sites: a seeded pause before every operation of a kind, to widen a window that the hardware
 * makes rare. Rates measured with delays mean nothing as rates; results say which delays were on.
 */
import type { Cpu } from '../port/cpu.ts';
import type { Tables } from '../port/tables.ts';
import { nextRandom } from './guest-pattern.ts';

export const DELAY_SITES = [
  'any',
  'read',
  'write',
  'write-release',
  'compare-exchange',
  'dsb',
  'isb',
  'tlbi',
  'free',
  'clean-dcache',
] as const;
export type DelaySite = (typeof DELAY_SITES)[number];

export interface Delay {
  readonly site: DelaySite;
  /** Upper bound: the seed decides how long each one is. */
  readonly ns: number;
}

/**
 * The same port with pauses. Without delays it is the very same objects: they cost nothing when
 * off.
 */
export function withDelays(
  cpu: Cpu,
  tables: Tables,
  delays: readonly Delay[],
  seed: number,
): { cpu: Cpu; tables: Tables } {
  if (delays.length === 0) return { cpu, tables };
  const everywhere = delays.find((d) => d.site === 'any')?.ns ?? 0;
  const nsOf = (site: DelaySite): number =>
    Math.max(everywhere, delays.find((d) => d.site === site)?.ns ?? 0);
  let random = seed | 1;

  /**
   * `operation` with a busy pause before it: sleeping would hand the CPU away and be no delay but a
   * preemption.
   */
  function delayed<A extends readonly unknown[], R>(
    site: DelaySite,
    operation: (...args: A) => R,
  ): (...args: A) => R {
    const ns = nsOf(site);
    if (ns === 0) return operation;
    return (...args) => {
      random = nextRandom(random);
      const until = performance.now() + ((random >>> 8) / 2 ** 24) * (ns / 1e6);
      while (performance.now() < until);
      return operation(...args);
    };
  }

  return {
    cpu: {
      read: delayed('read', cpu.read),
      write: delayed('write', cpu.write),
      writeRelease: delayed('write-release', cpu.writeRelease),
      compareExchange: delayed('compare-exchange', cpu.compareExchange),
      dsb: delayed('dsb', cpu.dsb),
      isb: delayed('isb', cpu.isb),
      tlbi: delayed('tlbi', cpu.tlbi),
    },
    tables: {
      ...tables,
      tearDown: delayed('free', tables.tearDown),
      tearDownBelow: delayed('free', tables.tearDownBelow),
      freeNow: delayed('free', tables.freeNow),
      tearDownAfterGrace: delayed('free', tables.tearDownAfterGrace),
      cleanDcache: delayed('clean-dcache', tables.cleanDcache),
    },
  };
}
