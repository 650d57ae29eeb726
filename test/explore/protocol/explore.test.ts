/** What an exploration hands on: schedules, bounds, errors. */
import { describe, expect, it } from 'vitest';
import {
  describeProgram,
  exploreProtocol,
  guestPrograms,
} from '../../../src/explore/protocol/index.ts';
import { formatSchedule } from '../../../src/report/text/schedule-text.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import type { Protocol } from '../../../src/port/index.ts';
import { bbmEarlyWith, builtin, changed, exploreLoads } from './fixtures.ts';
import { ProtocolFailure } from '../../../src/port/protocol-failure.ts';

describe('a bound of memory', () => {
  const search = (bounds: { readonly memoryBytes?: number; readonly states?: number }) =>
    exploreProtocol({
      protocol: builtin('nt-split'),
      // Without walkers that update descriptors its searches are too small to meet a bound.
      cpu: { hafdbs: true },
      kinds: ['load', 'store'],
      bounds,
    });

  it('stops a search before its tables take more, and says what was gone through', () => {
    const run = search({ memoryBytes: 1000 });
    expect([run.verdict, run.stoppedBy]).toEqual(['bounded', 'memoryBytes']);
    expect(run.stoppedWhy).toMatch(/^\d+ of \d+ guest programs were gone through to the end$/);
  });

  it('changes nothing where it is not met, also without a bound of states', () => {
    const { elapsedMs: _a, bounds, ...plain } = search({});
    const {
      elapsedMs: _b,
      bounds: given,
      ...roomy
    } = search({ memoryBytes: 2 ** 20, states: Infinity });
    expect(plain.verdict).toBe('safe');
    expect(roomy).toEqual(plain);
    // JSON has no infinity.
    const { states, ...others } = bounds;
    expect([states, given]).toEqual([1_000_000, { ...others, memoryBytes: 2 ** 20 }]);
  });
});

describe('the shortest counterexample', () => {
  it('of rfc-nt-posted has three steps', () => {
    const { violation } = exploreLoads(builtin('rfc-nt-posted'));
    expect(violation?.rule).toBe('claim');
    expect(violation?.why).toContain('R_KFLJB');
    expect(`\n${formatSchedule(violation?.steps ?? [])}\n`).toBe(`
  #  hypervisor                         vcpu 0
  1  write entry = invalid (bits kept)
  2                                     walk page 0: entry is invalid (bits kept)
  3                                     fault load page 0: translation, level 2
`);
  });

  it('of no-tlbi shows the walk that outlives the transition', () => {
    const seed = MUTANTS.find(({ name }) => name === 'no-tlbi')?.seed;
    const run = seed?.kind === 'protocol' ? exploreLoads(seed.protocol) : null;
    const { steps = [], why, rule } = run?.violation ?? {};
    expect(rule).toBe('stale-translation');
    expect(why).toContain('R_LXHLD');
    expect(why).toContain('no TLBI came between the store');
    const vcpu = steps.filter(({ thread }) => thread === 'vcpu 0').map(({ op }) => op);
    expect(vcpu).toEqual(['walk', 'read', 'load']);
    expect(steps.filter(({ op }) => op === 'tlbi')).toEqual([]);
    expect(steps.at(-1)?.detail).toBe('page 0 through page 0x80000000 rw v1');
  });

  it('shows a TLBI that overtook the store it was for', () => {
    const run = exploreLoads(
      bbmEarlyWith((cpu) => {
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
      }),
    );
    const host = run.violation?.steps.filter(({ thread }) => thread === 'hypervisor') ?? [];
    const tlbi = host.findIndex(({ op }) => op === 'tlbi');
    const invalidation = host.findIndex(({ detail }) => detail.startsWith('entry = invalid'));
    expect(tlbi).toBeGreaterThanOrEqual(0);
    expect(tlbi).toBeLessThan(invalidation);
  });

  it('of a broken claim needs no access that meets the hole', () => {
    const programs = [{ early: [], late: [{ kind: 'load', page: 0 }] }] as const;
    const { violation } = exploreProtocol({ protocol: builtin('rfc-nt-posted'), programs });
    expect([violation?.rule, violation?.by]).toEqual(['claim', 'operations']);
  });

  it('is that of the operations where no schedule breaks', () => {
    const { violation } = exploreLoads(builtin('bbml2-direct'), { bbm: [1] });
    expect(violation?.by).toBe('operations');
    expect(violation?.steps.map(({ op }) => op)).toEqual(['write']);
  });
});

describe('executions', () => {
  it.each([1, 2, 3])('with %i vCPUs are all counted, each in one outcome', (vcpus) => {
    const run = exploreProtocol({ protocol: builtin('nt-split'), vcpus, kinds: ['load'] });
    const counted = run.outcomes.reduce((sum, { count }) => sum + (count ?? 0), 0);
    expect(counted).toBe(run.executions);
    expect(run.executions).toBeGreaterThan(run.orders);
    expect(new Set(run.outcomes.map(({ id }) => id)).size).toBe(run.outcomes.length);
  });
});

describe('bounds', () => {
  it('are part of the result', () => {
    const run = exploreLoads(builtin('bbm-early'));
    expect(run.bounds).toMatchObject({ events: 30, operations: 192, programs: 6, accesses: 2 });
  });

  it.each([
    ['states', { states: 5 }],
    ['events', { events: 3 }],
    ['operations', { operations: 4 }],
    ['nodes', { nodes: 5 }],
  ] as const)('a search stopped by %s says so', (name, bounds) => {
    const run = exploreProtocol({ protocol: builtin('bbm-early'), kinds: ['load'], bounds });
    expect([run.verdict, run.stoppedBy]).toEqual(['bounded', name]);
  });

  it('a guest program may be too long', () => {
    const early = Array.from({ length: 12 }, () => ({ kind: 'load', page: 0 }) as const);
    const programs = [{ early, late: [] }];
    const run = exploreProtocol({ protocol: builtin('bbm-early'), programs });
    expect([run.verdict, run.stoppedBy]).toEqual(['bounded', 'nodes']);
  });

  it('table pages run out', () => {
    const greedy = changed('split-eager', (_cpu, t, tables) => {
      for (let i = 0; i < 7; i++) tables.buildSubtree(t.level, t.wanted);
    });
    expect(exploreLoads(greedy).stoppedBy).toBe('tables');
  });
});

describe('errors', () => {
  it('a protocol that throws is told from one that is wrong', () => {
    const thrower = changed('bbm-early', () => {
      throw new Error('not today');
    });
    expect(() => exploreLoads(thrower)).toThrow(ProtocolFailure);
    expect(() => exploreLoads(thrower)).toThrow('protocol changed threw: not today');
  });
});

describe('guest programs', () => {
  it('are every pair of accesses, and every late one alone', () => {
    expect(guestPrograms(['load'], 2).map(describeProgram)).toEqual([
      'once the lock is free: load page 0',
      'load page 0; once the lock is free: load page 0',
      'load page 1; once the lock is free: load page 0',
      'once the lock is free: load page 1',
      'load page 0; once the lock is free: load page 1',
      'load page 1; once the lock is free: load page 1',
    ]);
  });

  it('are of as many accesses as asked for, the last one late', () => {
    expect(guestPrograms(['load'], 2, 1).map(describeProgram)).toEqual([
      'once the lock is free: load page 0',
      'once the lock is free: load page 1',
    ]);
    const three = guestPrograms(['load', 'store'], 2, 3);
    // Four accesses: the late one, and none, one or two before it.
    expect(three).toHaveLength(4 * (1 + 4 + 16));
    expect(new Set(three.map(describeProgram)).size).toBe(three.length);
    expect(three.every(({ late }) => late.length === 1)).toBe(true);
    expect(three.map(describeProgram)).toContain(
      'store page 1, load page 0; once the lock is free: load page 1',
    );
  });

  it('of one access and of three come to the same verdicts as of two', () => {
    const verdictsOf = (protocol: Protocol) =>
      [1, 2, 3].map((accesses) => {
        const { verdict, bounds } = exploreProtocol({ protocol, accesses, kinds: ['load'] });
        return [verdict, bounds.accesses];
      });
    const all = (verdict: string) => [1, 2, 3].map((accesses) => [verdict, accesses]);
    expect(verdictsOf(builtin('bbm-early'))).toEqual(all('safe'));
    expect(verdictsOf(builtin('rfc-nt-intended'))).toEqual(all('safe'));
    expect(verdictsOf(builtin('rfc-nt-posted'))).toEqual(all('violated'));
  });

  it('may be given', () => {
    const programs = [{ early: [{ kind: 'load', page: 1 }], late: [] }] as const;
    const run = exploreProtocol({ protocol: builtin('bbm-early'), programs });
    expect(run.outcomes.map(({ id }) => id)).toEqual([
      'around: spurious fault',
      'around: new',
      'around: old',
    ]);
  });
});
