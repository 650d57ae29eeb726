/**
 * Delay sites: a seeded pause before every operation of a kind, for what it costs on other hardware
 * (cache maintenance, a slow DSB), which also widens the windows it lies in. It is no way to
 * find bugs: of the mutants tried none was three times as easy to see with pauses of 2 to 50 µs.
 */
import type { Cpu } from '../../port/cpu.ts';
import type { Tables } from '../../port/tables.ts';
import { nextRandom } from '../random.ts';

export const DELAY_SITES = [
  'any',
  'read',
  'write',
  'write-release',
  'compare-exchange',
  'dsb',
  'dmb',
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

/** The site of each operation of the port that may be delayed. */
const CPU_SITES = {
  read: 'read',
  write: 'write',
  writeRelease: 'write-release',
  compareExchange: 'compare-exchange',
  dsb: 'dsb',
  dmb: 'dmb',
  isb: 'isb',
  ipi: 'isb',
  writeVttbr: 'isb',
  writeTge: 'isb',
  tlbi: 'tlbi',
} as const satisfies Record<keyof Cpu, DelaySite>;
const TABLE_SITES = {
  tearDown: 'free',
  tearDownBelow: 'free',
  freeNow: 'free',
  tearDownAfterGrace: 'free',
  cleanDcache: 'clean-dcache',
} as const satisfies Partial<Record<keyof Tables, DelaySite>>;

type Operation = (...args: readonly unknown[]) => unknown;

/**
 * The same port with pauses. Without delays it is the very same objects, and an operation without
 * one is the very same function: they cost nothing when off.
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

  /** Busy: sleeping would hand the CPU away and be no delay but a preemption. */
  function pause(ns: number): void {
    random = nextRandom(random);
    const until = performance.now() + ((random >>> 8) / 2 ** 24) * (ns / 1e6);
    while (performance.now() < until);
  }

  /** `port` with a pause before each operation whose site has a delay. */
  function delayed<P extends object>(
    port: P,
    sites: Readonly<Partial<Record<keyof P, DelaySite>>>,
  ): P {
    // Every name in `sites` is an operation's; what it takes and answers goes through unseen.
    const operations = port as unknown as Readonly<Record<string, Operation>>;
    const paused: Record<string, Operation> = {};
    for (const [name, site] of Object.entries<DelaySite>(sites as Record<string, DelaySite>)) {
      const ns = nsOf(site);
      if (ns === 0) continue;
      const operation = operations[name] as Operation;
      paused[name] = (...args) => {
        pause(ns);
        return Reflect.apply(operation, port, args);
      };
    }
    return { ...port, ...paused };
  }

  return { cpu: delayed(cpu, CPU_SITES), tables: delayed(tables, TABLE_SITES) };
}
