/**
 * Two entries beside each other, changed one after the other: what goes wrong with the second alone is
 * shown by a schedule, and everything else is as it is with one.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { decodeToken, exploreProtocol, replayToken } from '../../../src/explore/protocol/index.ts';
import { Reading } from '../../../src/explore/model/reading.ts';
import { judgeOperations } from '../../../src/explore/protocol/judge/judge-operations.ts';
import { boundsFor, EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import { placeName, valueText } from '../../../src/explore/protocol/machine/describe.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import { startExploration } from '../../../src/explore/protocol/start.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import {
  type Cpu,
  defineProtocol,
  flushIpa,
  LOCKED,
  type Protocol,
  type Tables,
  type Transition,
  tryBuildSubtree,
  VALID,
} from '../../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../../src/protocols/index.ts';
import { parseCpu } from '../../../src/request/cpu-knobs.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { builtin, differingIn, shownRules } from './fixtures.ts';

const isSecond = ({ ipa, size }: Transition): boolean => (ipa & size) !== 0;

type Instead = (cpu: Cpu, t: Transition, tables: Tables) => Cpu;

/** `base`, but with another port for the second entry. */
function wrongForSecond(base: string, instead: Instead): Protocol {
  const right = builtin(base);
  return defineProtocol({
    ...right,
    name: 'wrong-for-second',
    run: (cpu, t, tables) => right.run(isSecond(t) ? instead(cpu, t, tables) : cpu, t, tables),
  });
}

const WITHOUT_TLBI = wrongForSecond('bbm-early', (cpu) => ({ ...cpu, tlbi: () => {} }));

/** Flushes the entry before it wherever an address has a bit too many. */
const ONE_ADDRESS = defineProtocol({
  ...builtin('relocate-break'),
  name: 'one-address',
  run(cpu, t) {
    cpu.write(t.entry, t.old & ~VALID);
    flushIpa(cpu, t.ipa & ~t.size, t.level);
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});

it.each(['bbm=0', 'bbm=2,multihit=amalgamate', 'bbm=1,hafdbs=on'])(
  'protocols are what they are, %s',
  (knobs) => {
    expect(differingIn({ regions: 2 }, ALL_PROTOCOLS, parseCpu(knobs))).toEqual([]);
  },
  120_000,
);

it.each(['relocate-break', 'unmap-leafwise', 'write-protect'])(
  'stores of %s are late for their own region alone',
  (name) => {
    const asked = { protocol: builtin(name), kinds: ['store'], realGranules: false } as const;
    expect(exploreProtocol({ ...asked, regions: 2 }).verdict).toBe('safe');
    expect(exploreProtocol({ ...asked, regions: 2, scenario: 'two-vms' }).verdict).toBe('safe');
  },
);

it('seeded bugs are found as with one, and one more is shown', () => {
  const seeded = MUTANTS.flatMap(({ seed }) => (seed.kind === 'protocol' ? [seed.protocol] : []));
  expect(seeded.length).toBeGreaterThan(50);
  expect(differingIn({ regions: 2 }, seeded)).toEqual(['hint-from-address']);
  const mutant = seeded.find(({ name }) => name === 'hint-from-address');
  if (mutant === undefined) throw new Error('it is gone');
  expect(shownRules(exploreProtocol({ protocol: mutant, regions: 2 }))).toContain(
    'stale-translation',
  );
}, 120_000);

describe('what is wrong with the second alone', () => {
  it('is shown at its pages', () => {
    const asked = { protocol: WITHOUT_TLBI, kinds: ['load'], realGranules: false } as const;
    expect(exploreProtocol(asked).verdict).toBe('safe');
    const run = exploreProtocol({ ...asked, regions: 2 });
    expect(run.violations.map(({ rule }) => rule)).toEqual([
      'break-before-make',
      'stale-translation',
      'freed-table',
      'tlb-conflict',
    ]);
    const [operations, stale] = run.violations;
    expect(operations?.why).toMatch(/^of entry 1: valid stored over an invalid entry/);
    expect(operations?.steps.map(({ detail }) => detail).join('\n')).not.toContain('entry 0');
    expect(stale?.why).toContain('load of page 2 by vcpu 0');
    // The entry before it, its TLBI too, is a part of the schedule.
    const steps = stale?.steps.map(({ detail }) => detail) ?? [];
    expect(steps).toContain('page 2: entry 1 is table 6, table 6[0] is page 0x280000000 rw v1');
    expect(steps).toContain('lock of entry 1 is free; DMB LD');
    expect(run.regions).toBe(2);
    expect(run.bounds.programs).toBe(4 * (1 + 4));
    expect(run.bounds['operations']).toBe(2 * EXPLORE_BOUNDS.operations);
  });

  it('has a token that says so', () => {
    const run = exploreProtocol({ protocol: WITHOUT_TLBI, regions: 2, realGranules: false });
    for (const { token, rule, why } of run.violations) {
      const says = decodeToken(token ?? '');
      if (says === null) throw new Error('no token');
      expect(says.regions).toBe(2);
      const cpu = parseCpu(says.cpu);
      const { violation } = replayToken(says, WITHOUT_TLBI, '', cpu);
      expect(violation.rule).toBe(rule);
      expect(why).toContain(violation.why);
      expect(() => replayToken({ ...says, regions: 1 }, WITHOUT_TLBI, '', cpu)).toThrow(
        'has changed since the token was made',
      );
    }
  });

  it('is shown behind both locks to who waits for both', () => {
    const late = [1, 2].map((page) => ({ kind: 'load', page }) as const);
    const run = exploreProtocol({
      protocol: WITHOUT_TLBI,
      regions: 2,
      programs: [{ early: [], late }],
      realGranules: false,
    });
    const stale = run.violations.find(({ rule }) => rule === 'stale-translation');
    const steps = stale?.steps.map(({ detail }) => detail) ?? [];
    expect(steps.filter((detail) => detail.startsWith('lock of'))).toEqual([
      'lock of entry 0 = free',
      'lock of entry 0 is free',
      'lock of entry 1 = free',
      'lock of entry 1 is free; DMB LD',
    ]);
    expect(steps.at(-1)).toContain('page 2 through page 0x280000000 rw v1');
  });

  it('is an address that is right for the first by chance', () => {
    const asked = { protocol: ONE_ADDRESS, realGranules: false } as const;
    expect(shownRules(exploreProtocol(asked))).toEqual([]);
    const run = exploreProtocol({ ...asked, regions: 2 });
    expect(shownRules(run)).toContain('stale-translation');
    expect(shownRules(run)).toContain('lost-access');
    const lost = run.violations.find(({ rule }) => rule === 'lost-access');
    expect(lost?.why).toContain('store of page 2 by vcpu 0');
    const taken = lost?.steps.filter(({ op }) => op === 'take').map(({ detail }) => detail);
    expect(taken?.at(-1)).toBe('memory of the old mapping of entry 1 = taken');
  });

  it('is its page that is freed twice', () => {
    const twice = defineProtocol({
      ...builtin('bbm-early'),
      name: 'twice',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        builtin('bbm-early').run(cpu, t, tables);
        if (isSecond(t)) tables.freeNow(child);
      },
    });
    const run = exploreProtocol({ protocol: twice, regions: 2, kinds: ['load'] });
    const refcount = run.violations.find(({ rule }) => rule === 'refcount');
    expect(refcount?.why).toBe('of entry 1: the old table is freed twice');
    expect(refcount?.steps.some(({ detail }) => detail.startsWith('entry 1 = '))).toBe(true);
  });

  it('is a race that it does not know to have lost', () => {
    const right = builtin('bbm-early-locked');
    const deaf = defineProtocol({
      ...right,
      name: 'deaf',
      run(cpu, t, tables) {
        const compareExchange: Cpu['compareExchange'] = (entry, expected, desired) => {
          const found = cpu.compareExchange(entry, expected, desired);
          return isSecond(t) ? expected : found;
        };
        right.run({ ...cpu, compareExchange }, t, tables);
      },
    });
    const run = exploreProtocol({ protocol: deaf, regions: 2, kinds: ['load'] });
    expect(run.violations.map(({ rule }) => rule)).toEqual(['break-before-make', 'freed-table']);
    expect(run.violation?.why).toMatch(/^of entry 1: when its compare-exchange finds LOCKED: /);
    // Two runs on two entries have no race with each other.
    expect(exploreProtocol({ protocol: right, regions: 2, kinds: ['load'] }).verdict).toBe('safe');
  });

  it('is a loop in which it waits for who has won', () => {
    const right = builtin('bbm-early-locked');
    const waits = defineProtocol({
      ...right,
      name: 'waits',
      run(cpu, t, tables) {
        const again: Cpu['compareExchange'] = (entry, expected, desired) => {
          while (isSecond(t)) {
            if (cpu.compareExchange(entry, expected, desired) === expected) return expected;
          }
          return cpu.compareExchange(entry, expected, desired);
        };
        right.run({ ...cpu, compareExchange: again }, t, tables);
      },
    });
    const run = exploreProtocol({ protocol: waits, regions: 2, kinds: ['load'] });
    expect(run.violations.map(({ rule, why }) => [rule, why.slice(0, 20)])).toEqual([
      ['progress', 'of entry 1: whoever '],
    ]);
    const shown = run.violation?.steps.map(({ detail }) => detail).join('\n');
    expect(shown).toContain('entry 1 = ');
    expect(shown).not.toContain('entry 0 = ');
  });

  it('is a claim', () => {
    const claims = defineProtocol({
      ...builtin('rfc-nt-intended'),
      name: 'claims',
      run: (cpu, t, tables) =>
        builtin(isSecond(t) ? 'bbm-early' : 'rfc-nt-intended').run(cpu, t, tables),
    });
    const { hosts } = startExploration({ protocol: claims, regions: 2 });
    const judged = hosts.flatMap((host) => judgeOperations(host, 1, claims, false).violations);
    expect(judged.map(({ rule, why }) => `${rule}: ${why.slice(0, 32)}`)).toEqual([
      'claim: of entry 1: the protocol claims ',
    ]);
  });

  it('is an allocation that fails', () => {
    const right = builtin('split-or-keep');
    const leaves = defineProtocol({
      ...right,
      name: 'leaves-locked',
      run(cpu, t, tables) {
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        const table = isSecond(t)
          ? tryBuildSubtree(cpu, tables, t.level, t.wanted)
          : tables.buildSubtree(t.level, t.wanted);
        if (table === null) return;
        tables.put(t.entry);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
      },
    });
    const run = exploreProtocol({ protocol: leaves, regions: 2, kinds: ['load'] });
    expect(run.verdict).toBe('violated');
    expect(run.violations[0]?.why).toMatch(/^of entry 1: when its first allocation fails: /);
  });

  it('is a store whose dirty state is lost', () => {
    const loses = defineProtocol({
      ...builtin('bbm-early'),
      name: 'merges-for-first',
      run: (cpu, t, tables) =>
        builtin('bbm-early').run(cpu, t, {
          ...tables,
          mergeState: (block, table, level) =>
            isSecond(t) ? block & ~(1n << 7n) : tables.mergeState(block, table, level),
        }),
    });
    const runOf = (protocol: Protocol, page: number): ExploreRun =>
      exploreProtocol({
        protocol,
        cpu: { hafdbs: true },
        regions: 2,
        programs: [{ early: [{ kind: 'store', page }], late: [] }],
        realGranules: false,
      });
    const of = (protocol: Protocol, page: number): readonly string[] =>
      shownRules(runOf(protocol, page));
    const pages = [0, 1, 2, 3];
    const none: readonly string[] = [];
    expect(pages.map((page) => of(loses, page))).toEqual([
      none,
      none,
      ['lost-dirty'],
      ['lost-dirty'],
    ]);
    expect(pages.map((page) => of(builtin('bbm-early'), page))).toEqual(pages.map(() => none));
    // Up to the store that settles it.
    const steps = runOf(loses, 2).violations.find(({ rule }) => rule === 'lost-dirty')?.steps;
    expect(steps?.findLast(({ op }) => op.startsWith('write'))?.detail).toContain(
      'entry 1 = block',
    );
  });
});

describe('the machine', () => {
  const first = new MemoryMap('coalesce', 2, 6, { regions: 2 });
  const [, second] = first.regions;
  if (second === undefined) throw new Error('there are two');

  it('has the second behind the first, and nothing in common but what lies around', () => {
    expect([first.target, second.target, second.next]).toEqual([0, first.end, null]);
    expect([first.ipa + first.size, first.firstPage + first.pages]).toEqual([
      second.ipa,
      second.firstPage,
    ]);
    expect(first.holding(1)).toBe(first);
    expect(first.holding(2)).toBe(second);
    expect(first.at(first.end - 1)).toBe(first);
    expect(first.at(first.end)).toBe(second);
    expect(first.isTableAddress(second.old)).toBe(false);
    expect(second.isTableAddress(first.old)).toBe(false);
    const [all, own] = [first.initial(), second.initial()];
    expect([all.length, own.length]).toEqual([first.end, second.end - second.target]);
    expect(own[0]).toBe(second.old);
  });

  it('has names for both', () => {
    expect([first.target, first.lock].map((at) => placeName(first, at))).toEqual([
      'entry 0',
      'lock of entry 0',
    ]);
    expect([second.target, second.lock].map((at) => placeName(first, at))).toEqual([
      'entry 1',
      'lock of entry 1',
    ]);
    expect(valueText(first, second.target, second.old)).toBe('table 6');
    const alone = new MemoryMap('coalesce', 2, 6);
    expect(placeName(alone, 0)).toBe('entry');
    expect(placeName(alone, alone.lock)).toBe('lock');
  });

  it('lets a vCPU go on once the lock of what it accesses is free', () => {
    const host = unrollHost(builtin('bbm-late'), first, 1, 1, boundsFor('tiny', 2));
    const locksFor = (...pages: readonly number[]): readonly number[] => {
      const late = pages.map((page) => ({ kind: 'load', page }) as const);
      return scenarioOf(host, DEFAULT_CPU, { early: [], late }, 1000).locks;
    };
    expect(locksFor(0)).toEqual([first.lock]);
    expect(locksFor(3)).toEqual([second.lock]);
    expect(locksFor(1, 2)).toEqual([first.lock, second.lock]);
  });

  it('has two moments, and who stores may see either', () => {
    const both = new MemoryMap('relocate', 2, 6, { regions: 2 });
    const host = unrollHost(builtin('relocate-break'), both, 1, 1, boundsFor('tiny', 2));
    const store = [{ kind: 'store', page: 2 }] as const;
    const { system } = scenarioOf(host, DEFAULT_CPU, { early: store, late: [] }, 1000);
    const moments = both.regions.map(({ moment }) => moment);
    expect(system.moments).toEqual(moments);
    const reading = new Reading(system, 1, []);
    expect(moments.map((moment) => reading.has(moment ?? -1))).toEqual([true, true]);
  });

  it('has no memory for one allocation of each, not for one of all', () => {
    const { hosts } = startExploration({ protocol: builtin('split-or-keep'), regions: 2 });
    expect(hosts.map(({ map }) => map.failing)).toEqual([null, 1]);
  });
});
