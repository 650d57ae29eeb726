/** Delay sites: nothing at all when off; when on, a pause and then the very same operation. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Delay, DELAY_SITES, withDelays } from '../../src/machine/hypervisor/delays.ts';
import type { Cpu } from '../../src/port/cpu.ts';
import type { Tables } from '../../src/port/tables.ts';

/** A port that writes down each call with its arguments, and answers by the call's name. */
function recordingPort(): { log: unknown[][]; cpu: Cpu; tables: Tables } {
  const log: unknown[][] = [];
  const methods = (names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...args: unknown[]) => {
          log.push([name, ...args]);
          return `${name} done`;
        },
      ]),
    );
  const cpu = methods(CPU_METHODS) as unknown as Cpu;
  const tables = { ...methods(TABLE_METHODS), entries: 512 } as unknown as Tables;
  return { log, cpu, tables };
}

const CPU_METHODS = [
  'read',
  'write',
  'writeRelease',
  'compareExchange',
  'dsb',
  'dmb',
  'isb',
  'tlbi',
] as const satisfies readonly (keyof Cpu)[];
const TABLE_METHODS = [
  'allocate',
  'buildSubtree',
  'entryOf',
  'follow',
  'descriptorFor',
  'childLeaf',
  'get',
  'put',
  'tearDown',
  'tearDownBelow',
  'freeNow',
  'tearDownAfterGrace',
  'cleanDcache',
] as const satisfies readonly (keyof Tables)[];

/** The methods each site pauses. */
const METHODS: Readonly<Record<Exclude<Delay['site'], 'any'>, readonly string[]>> = {
  read: ['read'],
  write: ['write'],
  'write-release': ['writeRelease'],
  'compare-exchange': ['compareExchange'],
  dsb: ['dsb'],
  dmb: ['dmb'],
  isb: ['isb'],
  tlbi: ['tlbi'],
  free: ['tearDown', 'tearDownBelow', 'freeNow', 'tearDownAfterGrace'],
  'clean-dcache': ['cleanDcache'],
};

afterEach(() => vi.restoreAllMocks());

/** Names of the methods that are not the very functions they were. */
function changedMethods(delays: readonly Delay[]): string[] {
  const { cpu, tables } = recordingPort();
  const d = withDelays(cpu, tables, delays, 1);
  return [
    ...CPU_METHODS.filter((name) => d.cpu[name] !== cpu[name]),
    ...TABLE_METHODS.filter((name) => d.tables[name] !== tables[name]),
  ];
}

test('off, the port is the very same objects', () => {
  const { cpu, tables } = recordingPort();
  const d = withDelays(cpu, tables, [], 1);
  expect([d.cpu === cpu, d.tables === tables]).toEqual([true, true]);
});

describe('on', () => {
  test('every site but "any" names its methods here', () => {
    expect(['any', ...Object.keys(METHODS)]).toEqual([...DELAY_SITES]);
  });

  test.each(Object.entries(METHODS))('%s pauses its own operations only', (site, methods) => {
    expect(changedMethods([{ site: site as Delay['site'], ns: 1 }])).toEqual(methods);
    expect(changedMethods([{ site: site as Delay['site'], ns: 0 }])).toEqual([]);
  });

  test('any pauses all of them', () => {
    expect(changedMethods([{ site: 'any', ns: 1 }])).toEqual(Object.values(METHODS).flat());
  });

  test('every operation still happens, once, in order, with its arguments and answer', () => {
    const calls: readonly (readonly [string, ...unknown[]])[] = [
      ['read', 1],
      ['write', 2, 3n],
      ['writeRelease', 4, 5n],
      ['compareExchange', 6, 7n, 8n],
      ['dsb', 'ish'],
      ['dmb', 'ishst'],
      ['isb'],
      ['tlbi', { kind: 'ipas2e1is', ipa: 4096 }],
      ['tearDown', 9, 3],
      ['tearDownBelow', 10, 2],
      ['freeNow', 11],
      ['tearDownAfterGrace', 12, 3],
      ['cleanDcache', 4096, 8192],
      ['allocate', 3],
      ['get', 13],
    ];
    const { log, cpu, tables } = recordingPort();
    const d = withDelays(cpu, tables, [{ site: 'any', ns: 100 }], 7);
    const port = { ...d.tables, ...d.cpu } as unknown as Record<
      string,
      (...a: unknown[]) => unknown
    >;
    const answers = calls.map(([name, ...args]) => port[name]?.(...args));
    expect(log).toEqual(calls);
    expect(answers).toEqual(calls.map(([name]) => `${name} done`));
    expect(d.tables.entries).toBe(512);
  });
});

describe('a pause', () => {
  /** Lengths in ns of 50 pauses before a DSB, on a clock that moves 1 ns whenever it is read. */
  function pausesOf(delays: readonly Delay[], seed: number): number[] {
    let ns = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ns++ / 1e6);
    const { cpu, tables } = recordingPort();
    const began: number[] = [];
    const marked = { ...cpu, dsb: () => void began.push(ns) };
    const d = withDelays(marked, tables, delays, seed);
    return Array.from({ length: 50 }, () => {
      const from = ns;
      d.cpu.dsb('ish');
      return (began.at(-1) ?? 0) - from;
    });
  }

  test('comes before the operation, is at most its limit, and not always the same', () => {
    const pauses = pausesOf([{ site: 'dsb', ns: 1000 }], 3);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1003);
    expect(Math.max(...pauses)).toBeGreaterThan(700);
    expect(Math.min(...pauses)).toBeLessThan(300);
  });

  test('repeats from its seed', () => {
    const delays = [{ site: 'dsb', ns: 1000 }] as const;
    expect(pausesOf(delays, 3)).toEqual(pausesOf(delays, 3));
    expect(pausesOf(delays, 3)).not.toEqual(pausesOf(delays, 101));
  });

  test('of a site and of "any" is the longer of the two', () => {
    const site = { site: 'dsb', ns: 1000 } as const;
    const everywhere = { site: 'any', ns: 10 } as const;
    expect(pausesOf([everywhere, site], 3)).toEqual(pausesOf([site], 3));
    expect(
      pausesOf(
        [
          { ...everywhere, ns: 1000 },
          { ...site, ns: 10 },
        ],
        3,
      ),
    ).toEqual(pausesOf([site], 3));
  });
});
