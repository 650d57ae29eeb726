/**
 * Two protocols at once on one entry: a right one is safe beside itself and beside the opposite kind,
 * and what only a second hypervisor shows is shown.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { type Descriptor, isValid, NT } from '../../../src/arch/descriptor.ts';
import { armModel, type Reductions, REDUCTIONS, search } from '../../../src/explore/model/index.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import type { GuestProgram } from '../../../src/explore/protocol/machine/guest.ts';
import { type Host, unrollBoth } from '../../../src/explore/protocol/run/host.ts';
import { decodeToken, exploreProtocol, replayToken } from '../../../src/explore/protocol/index.ts';
import { Outcomes } from '../../../src/explore/protocol/outcomes.ts';
import { pairMap, pairProblem } from '../../../src/explore/protocol/run/pair.ts';
import { scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import { MUTANTS, subjectOf } from '../../../src/mutants/index.ts';
import { claimsOfBoth } from '../../../src/port/both.ts';
import {
  childLevel,
  defineProtocol,
  EMPTY,
  flushIpa,
  LOCKED,
  type Protocol,
} from '../../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../../src/protocols/index.ts';
import { runText, violationsLines } from '../../../src/report/text/explore-text.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';

const PROGRAMS: readonly GuestProgram[] = [
  { early: [{ kind: 'load', page: 0 }], late: [{ kind: 'load', page: 0 }] },
  { early: [], late: [{ kind: 'store', page: 1 }] },
];

function named(name: string): Protocol {
  const protocol = ALL_PROTOCOLS.find((each) => each.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}

function mutant(name: string): Protocol {
  const found = MUTANTS.find((each) => each.name === name);
  const protocol = found === undefined ? null : subjectOf(found, 'explore').protocol;
  if (protocol === null) throw new Error(`no mutant ${name} for the explorer`);
  return protocol;
}

/** As `split-eager`, under the shared lock. `how`: what it does if it has lost, or leaves out. */
function splitShared(how: 'gives way' | 'leaks' | 'flushes nothing'): Protocol {
  return defineProtocol({
    name: `split-${how.replace(' ', '-')}`,
    kind: 'split',
    summary: 'build, LOCKED by compare-exchange, flush IPA, store-release the table',
    origin: 'a test',
    claims: {},
    lock: 'shared',
    run(cpu, t, tables) {
      const table = tables.buildSubtree(t.level, t.wanted);
      if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) {
        if (how !== 'leaks') tables.tearDown(table, childLevel(t.level));
        return;
      }
      if (how !== 'flushes nothing') flushIpa(cpu, t.ipa, t.level);
      tables.put(t.entry);
      tables.get(t.entry);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    },
  });
}

/** Its table maps page 0 alone: the other is left to be faulted in. */
const splitLazily = defineProtocol({
  ...splitShared('gives way'),
  name: 'split-lazily',
  run(cpu, t, tables) {
    const table = tables.allocate(childLevel(t.level));
    const first = tables.entryOf(table, 0);
    cpu.write(first, tables.childLeaf(t.wanted, t.level, 0));
    tables.get(first);
    if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) {
      tables.tearDown(table, childLevel(t.level));
      return;
    }
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  },
});

/** It links an empty table, and maps its first page once that is linked, as `split-lazy` does. */
const splitAndFill = defineProtocol({
  ...splitShared('gives way'),
  name: 'split-and-fill',
  run(cpu, t, tables) {
    if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
    const table = tables.allocate(childLevel(t.level));
    flushIpa(cpu, t.ipa, t.level);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    const first = tables.entryOf(table, 0);
    const page = tables.childLeaf(t.wanted, t.level, 0);
    if (cpu.compareExchange(first, EMPTY, page) === EMPTY) tables.get(first);
    cpu.dsb('ishst');
  },
});

function beside(protocol: Protocol, other: Protocol, programs = PROGRAMS): ExploreRun {
  const source = { kind: 'built-in', name: other.name, text: '' } as const;
  return exploreProtocol({ protocol, against: { protocol: other, source }, programs });
}

/** Who changed the entry, in some execution. */
const turns = ({ outcomes }: ExploreRun): string[] =>
  [...new Set(outcomes.map(({ id }) => id.split(' | ')[0] ?? ''))].toSorted();

const rules = ({ violations }: ExploreRun): string[] => violations.map(({ rule }) => rule);

const EITHER = ['1 changes it, 2 gives way', '2 changes it, 1 gives way'];

describe('two hypervisors that take the entry by compare-exchange', () => {
  it.each([
    ['bbm-early-locked', 'bbm-early-locked'],
    ['bbm-early-locked', 'bbm-early-range'],
    ['map-hole', 'map-hole'],
  ])('%s beside %s: either may come first, and nothing breaks', (one, other) => {
    const run = beside(named(one), named(other));
    expect([run.verdict, run.stoppedBy, run.against]).toEqual(['safe', null, other]);
    expect(turns(run)).toEqual(EITHER);
  });

  it('tried by themselves in the real granules, too: tables of two entries do not show a range cut off', () => {
    const most = 64 * 4096;
    const right = named('bbm-early-range');
    const cut = defineProtocol({
      ...right,
      name: 'range-of-64',
      run: (cpu, t, tables) => right.run(cpu, { ...t, size: Math.min(t.size, most) }, tables),
    });
    for (const run of [beside(right, cut), beside(cut, right), beside(cut, cut)]) {
      expect(rules(run)).toEqual(['break-before-make']);
      expect(run.violations[0]).toMatchObject({
        why: expect.stringMatching(
          /^range-of-64 by itself, in the 4K granule, at IPA 0x40200000: /,
        ),
        by: 'operations',
        token: null,
        noToken: expect.stringMatching(/^of range-of-64 alone/),
      });
    }
    const { verdict } = exploreProtocol({
      protocol: cut,
      against: { protocol: right, source: null },
      programs: PROGRAMS,
      realGranules: false,
    });
    expect(verdict).toBe('safe');
  });

  it('two splits: who has lost takes its table back', () => {
    const run = beside(splitShared('gives way'), splitShared('gives way'));
    expect([run.verdict, turns(run)]).toEqual(['safe', EITHER]);
    const leaks = beside(splitShared('leaks'), splitShared('leaks'));
    expect(rules(leaks)).toEqual(['table-leak']);
  });

  it('of opposite kinds the second may change what the first has made, and that frees its table', () => {
    const [coalesce, split] = [named('bbm-early-locked'), splitShared('gives way')];
    const programs = PROGRAMS.slice(0, 1);
    for (const run of [beside(coalesce, split, programs), beside(split, coalesce, programs)]) {
      expect(run.verdict).toBe('safe');
      expect(turns(run)).toEqual(['1 changes it, 2 gives way', '1 changes it, then 2']);
      expect(run.outcomes.some(({ id }) => id.includes('next'))).toBe(true);
    }
  });

  it('who frees a table of the other finds in it what is there', () => {
    const run = beside(splitLazily, named('bbm-early-locked'), PROGRAMS.slice(0, 1));
    expect([run.verdict, turns(run).at(-1)]).toEqual(['safe', '1 changes it, then 2']);
  });

  it('whose table is still being filled holds up the grace period after which the other frees it', () => {
    const run = beside(splitAndFill, named('bbm-early-locked'));
    expect([run.verdict, run.stoppedBy]).toEqual(['safe', null]);
    expect(turns(run)).toContain('1 changes it, then 2');
    // Who frees it at once may meet it half filled, and is told so.
    expect(rules(beside(splitAndFill, mutant('no-grace-period')))).toContain('refcount');
  });

  it('what the first has made is stale once the second has replaced it', () => {
    const split = splitShared('flushes nothing');
    const run = beside(named('bbm-early-locked'), split, PROGRAMS.slice(0, 1));
    expect(run.violations.find(({ rule }) => rule === 'stale-translation')?.why).toMatch(
      /it came after both transitions and used a translation from before the last one/,
    );
  });
});

describe('a lost compare-exchange that nobody looks at', () => {
  const program = PROGRAMS.slice(0, 1);
  const protocol = mutant('lost-race-ignored');
  const run = beside(named('bbm-early-locked'), protocol, program);

  it('is convicted beside a right protocol, by what both do and by what a vCPU sees', () => {
    expect(run.verdict).toBe('violated');
    expect(rules(run)).toEqual(expect.arrayContaining(['break-before-make', 'refcount']));
    expect(run.violations.every(({ by }) => by === 'schedule')).toBe(true);
    const whys = run.violations.map(({ why }) => why).join('\n');
    expect(whys).toContain('hypervisor 2 stores to the entry');
    expect(whys).toContain('the old table is freed twice');
    expect(whys).toContain('its walk read a table page after the page was freed');
  });

  it('is not the one that keeps to it', () => {
    const threads = run.violations.map(({ steps }) => steps.map(({ thread }) => thread));
    for (const of of threads) expect(of).toContain('hypervisor 2');
    const failed = run.violations.flatMap(({ steps }) =>
      steps.filter(({ detail }) => detail.includes('it failed, and stored nothing')),
    );
    expect(failed.length).toBeGreaterThan(0);
  });

  it('is shown again by each token', () => {
    const first = named('bbm-early-locked');
    for (const { rule, token, why } of run.violations) {
      const key = decodeToken(token ?? '');
      if (key === null) throw new Error(`no token for ${rule}`);
      expect(key.against).toEqual({ kind: 'built-in', name: 'lost-race-ignored' });
      const again = replayToken(key, first, '', DEFAULT_CPU, { protocol, text: '' });
      expect([again.violation.rule, why.startsWith(again.violation.why)]).toEqual([rule, true]);
      expect(again.steps.length).toBeGreaterThan(again.broken);
      expect(() => replayToken(key, first, '', DEFAULT_CPU, { protocol: first, text: '' })).toThrow(
        'has changed',
      );
    }
  });
});

it('a path that has no room in a token is said to have none, in place of it', () => {
  const protocol = mutant('lost-race-ignored');
  const name = `${'far/'.repeat(50)}other.ts`;
  const { violations } = exploreProtocol({
    protocol: named('bbm-early-locked'),
    against: { protocol, source: { kind: 'file', name, text: '' } },
    programs: PROGRAMS.slice(1),
  });
  expect(violations.length).toBeGreaterThan(0);
  for (const violation of violations) {
    const [last] = violationsLines([violation]).slice(-1);
    expect(last).toBe(
      '    no replay: no room in a token for the path of other.ts; from a folder nearer to it there is',
    );
  }
});

it('a loser that waits in a loop meets a bound, and is told why', () => {
  const waits = defineProtocol({
    ...named('map-hole'),
    name: 'waits',
    run(cpu, t) {
      while (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old);
      cpu.writeRelease(t.entry, t.wanted);
    },
  });
  const run = beside(waits, named('map-hole'), PROGRAMS.slice(1));
  expect([run.verdict, run.stoppedBy]).toEqual(['bounded', 'operations']);
  expect(run.stoppedWhy).toContain('looks at the entry again and again until the other is done');
});

it('an entry that is LOCKED taken for an empty one is convicted beside itself', () => {
  const run = beside(mutant('locked-taken'), mutant('locked-taken'));
  expect(rules(run)).toEqual(expect.arrayContaining(['break-before-make', 'refcount']));
});

it('an entry that is left LOCKED was wanted by neither', () => {
  const run = beside(mutant('left-locked'), mutant('left-locked'), PROGRAMS.slice(1));
  expect(run.violations.map(({ why }) => why).join('\n')).toContain(
    'the entry ends as the invalid (locked), which neither of the two wanted',
  );
});

it.each([
  ['bbm-early-locked', 'bbm-early', 'protocol bbm-early holds the lock exclusively'],
  ['bbm-late', 'bbm-early-locked', 'protocol bbm-late holds the lock exclusively'],
  [
    'map-hole',
    'bbm-early-locked',
    'begins where the entry holds a table; beside map-hole it holds nothing or a block',
  ],
  ['relax-local', 'relax-local', 'is of kind protect'],
])('%s beside %s is refused, with the reason', (one, other, why) => {
  expect(pairProblem(named(one), named(other))).toContain(why);
});

it.each([
  [{ context: 'nvhe-host' }, 'changes the context of its CPU'],
  [{ vmid: 7 }, 'give the VM different VMIDs'],
] as const)('one with %o is refused', (own, why) => {
  const locked = named('bbm-early-locked');
  expect(pairProblem(locked, { ...locked, ...own })).toContain(why);
  expect(pairProblem({ ...locked, ...own }, locked)).toContain(why);
});

/** As map-hole, in a version that holds the lock for writing; it looks at the entry itself. */
function mapAlone(how: 'looks' | 'stores anyway' | 'is called at once'): Protocol {
  const { walks: _, ...mine } = defineProtocol({
    name: 'map-alone',
    kind: 'map',
    summary: 'the block where nothing is',
    origin: 'a test',
    claims: {},
    lock: 'exclusive',
    walks: true,
    run(cpu, t, tables) {
      if (how === 'looks' && isValid(cpu.read(t.entry))) return;
      tables.get(t.entry);
      cpu.write(t.entry, t.wanted);
    },
  });
  return how === 'is called at once' ? mine : { ...mine, walks: true };
}

describe('a vCPU in the handler of its fault', () => {
  const GIVES_WAY = ['the hypervisor changes it, the vcpu in its fault gives way'];

  it('leaves the LOCKED entry to whoever has it', () => {
    const run = beside(named('bbm-early-locked'), named('map-hole'));
    expect([run.verdict, turns(run)]).toEqual(['safe', GIVES_WAY]);
  });

  it('is convicted if it takes it: it maps the block before the old pages are flushed', () => {
    const program = PROGRAMS.slice(0, 1);
    const run = beside(named('bbm-early-locked'), mutant('locked-taken'), program);
    expect(rules(run)).toEqual(expect.arrayContaining(['break-before-make', 'tlb-conflict']));
  });

  it('is called what it is, in schedules, sentences and the legend', () => {
    const run = beside(named('bbm-early-locked'), mutant('locked-taken'), PROGRAMS.slice(0, 1));
    const threads = new Set(
      run.violations.flatMap(({ steps }) => steps.map((step) => step.thread)),
    );
    expect([...threads].toSorted()).toEqual(['hypervisor', 'vcpu 0', 'vcpu in its fault']);
    const text = runText(run, (_, each) => each);
    expect(text).toContain('  #  hypervisor');
    expect(text).toMatch(
      /the hypervisor runs bbm-early-locked, a vCPU serves its fault by locked-taken/,
    );
    expect(text).toMatch(
      /the vcpu in its fault stores to the entry .* the hypervisor has it broken/,
    );
    expect(`${text} ${JSON.stringify(run)}`).not.toMatch(/hypervisor [12]/);
  });

  it('waits for a lock that is held for writing, and finds the block then', () => {
    for (const how of ['looks', 'is called at once'] as const) {
      const run = beside(named('bbm-late'), mapAlone(how), PROGRAMS.slice(0, 1));
      expect([run.verdict, turns(run)]).toEqual(['safe', GIVES_WAY]);
    }
    const blind = beside(named('bbm-late'), mapAlone('stores anyway'), PROGRAMS.slice(0, 1));
    expect(rules(blind)).toContain('refcount');
  });

  it('may make it once more, when it finds the block there, if it breaks it rightly', () => {
    const again = (puts: boolean): Protocol =>
      defineProtocol({
        ...named('map-hole'),
        name: 'maps-again',
        walks: true,
        run(cpu, t, tables) {
          const found = cpu.read(t.entry);
          if (!isValid(found) || cpu.compareExchange(t.entry, found, LOCKED) !== found) return;
          flushIpa(cpu, t.ipa, t.level);
          if (puts) tables.put(t.entry);
          tables.get(t.entry);
          cpu.writeRelease(t.entry, t.wanted);
          cpu.dsb('ishst');
        },
      });
    const program = PROGRAMS.slice(0, 1);
    const run = beside(named('bbm-early-locked'), again(true), program);
    expect([run.verdict, turns(run)]).toEqual([
      'safe',
      [...GIVES_WAY, 'the hypervisor changes it, then the vcpu in its fault'],
    ]);
    expect(rules(beside(named('bbm-early-locked'), again(false), program))).toEqual(['refcount']);
  });

  it('of a version with an exclusive lock gives way to one with another', () => {
    const run = beside(named('bbm-late'), named('map-hole'), PROGRAMS.slice(0, 1));
    expect([run.verdict, turns(run)]).toEqual(['safe', GIVES_WAY]);
  });
});

describe('what one of two throws', () => {
  const complains = (d: Descriptor): Protocol =>
    defineProtocol({
      ...named('map-hole'),
      name: 'complains',
      run(cpu, t) {
        if (cpu.read(t.entry) === d) throw new Error('it is not as it should be');
      },
    });

  it('counts where some execution comes that way', () => {
    const run = (d: Descriptor) => () =>
      beside(named('bbm-early-locked'), complains(d), PROGRAMS.slice(1));
    expect(run(LOCKED)).toThrow(/^protocol complains threw: it is not as it should be/);
    expect(run(NT)().verdict).toBe('safe');
  });

  it('is no more than a way that was thought of, if none does', () => {
    // Between its own two stores it may find whatever the other ever stores, for all that its tree knows.
    const sure = defineProtocol({
      ...named('bbm-early-locked'),
      name: 'sure',
      run(cpu, t, tables) {
        named('bbm-early-locked').run(
          {
            ...cpu,
            writeRelease(entry, d) {
              if (cpu.read(entry) !== LOCKED) throw new Error('somebody else was here');
              cpu.writeRelease(entry, d);
            },
          },
          t,
          tables,
        );
      },
    });
    const program = PROGRAMS.slice(1);
    expect(beside(sure, named('map-hole'), program).verdict).toBe('safe');
    const run = beside(sure, mutant('locked-taken'), program);
    expect(run.violations[0]?.why).toMatch(
      /^the vcpu in its fault stores to the entry .* while the hypervisor has it broken/,
    );
  });
});

describe('what is left out of a search for two', () => {
  const COUNTED: Reductions = { ...REDUCTIONS, lookAhead: false, symmetry: false };
  /** With these off there are more executions. */
  const NONE: Reductions = { ...COUNTED, sealing: false, unlinked: false, programOrder: false };
  const small: GuestProgram = { early: [], late: [{ kind: 'load', page: 0 }] };

  /** Outcomes with their counts, and what is violated. */
  function found(other: Protocol, vcpus: number, reductions: Reductions, isWhole = false): unknown {
    const protocols = [named('bbm-early-locked'), other] as const;
    const map = pairMap(protocols, 2, EXPLORE_BOUNDS.tables, {});
    const host = unrollBoth(protocols, map, 1, vcpus, EXPLORE_BOUNDS);
    const scenario = scenarioOf(isWhole ? whole(host) : host, DEFAULT_CPU, small, 10_000);
    const options = armModel('ets2');
    const outcomes = new Outcomes(claimsOfBoth(...protocols));
    const collect = outcomes.collector(host, scenario, options, 0);
    const bounds = { ...EXPLORE_BOUNDS, visits: 1 };
    expect(search(scenario.system, options, bounds, collect, reductions).stoppedBy).toBeNull();
    const shown = outcomes.shown([host]).map(({ rule }) => rule);
    const table = outcomes.table().map(({ id, count }) => (isWhole ? id : `${count} ${id}`));
    return [shown.toSorted(), table.toSorted()];
  }

  function withoutCounts(each: unknown): unknown {
    const [shown, counted] = each as [unknown, string[]];
    return [shown, counted.map((line) => line.replace(/^\d+ /, '')).toSorted()];
  }

  /** Every store of both is a step. */
  function whole(host: Host): Host {
    const threads = host.threads.map((each) => ({ ...each, tree: () => each.tree(() => true) }));
    return { ...host, threads, isShared: () => true };
  }

  it('nobody could tell: the same where nothing is left out', () => {
    for (const other of [named('bbm-early-range'), mutant('left-locked')]) {
      const reduced = found(other, 2, REDUCTIONS);
      expect(reduced).toEqual(found(other, 2, COUNTED));
      expect(withoutCounts(reduced)).toEqual(withoutCounts(found(other, 2, NONE)));
    }
  });

  it('nor from what only one of them stores', () => {
    for (const other of [named('bbm-early-range'), mutant('left-locked')]) {
      const reduced = withoutCounts(found(other, 1, REDUCTIONS));
      expect(reduced).toEqual(found(other, 1, REDUCTIONS, true));
    }
  });
});
