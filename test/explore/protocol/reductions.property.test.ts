/**
 * Each reduction of the search against the search without it, on random protocols: tables of one and
 * two levels, walkers that update descriptors, cores whose TLBIs fall short.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CpuModel, DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import { machineOf, modelOf } from '../../../src/explore/protocol/cpu.ts';
import type { GuestProgram } from '../../../src/explore/protocol/machine/guest.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { type Host, unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { type Scenario, scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import {
  type ModelOptions,
  type Reductions,
  REDUCTIONS,
  search,
  Search,
} from '../../../src/explore/model/index.ts';
import type { BbmLevel } from '../../../src/arch/feat-bbm.ts';
import type { ChangeName, Protocol } from '../../../src/port/index.ts';
import { Outcomes } from '../../../src/explore/protocol/outcomes.ts';
import relaxLocal from '../../../src/protocols/relax-local.ts';
import { access, cpus, guest, protocolOf, steps } from './random-protocols.ts';

interface Case {
  readonly names: readonly string[];
  readonly tearsDown: boolean;
  readonly program: GuestProgram;
  readonly cpu: CpuModel;
  readonly vcpus: 1 | 2 | 3;
  readonly level: 1 | 2;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    names: steps(4),
    tearsDown: fc.boolean(),
    program: fc.oneof(guest(2), fc.record({ early: fc.constant([]), late: fc.tuple(access) })),
    cpu: cpus,
    vcpus: fc.constantFrom(1 as const, 1 as const, 2 as const),
    level: fc.constantFrom(1 as const, 2 as const),
    hafdbs: fc.boolean(),
    tlbi: fc.constantFrom('ok' as const, 'ok' as const, 'repeat' as const, 'late-writes' as const),
  })
  .map(({ cpu, hafdbs, tlbi, ...rest }) => ({ ...rest, cpu: { ...cpu, hafdbs, tlbi } }));

/** With one access of each vCPU. */
const small = cases.filter(({ program }) => program.early.length === 0);

/** States of the search without the reduction: what has more is no case. */
const STATES_MAX = 1500;

interface Prepared {
  readonly protocol: Protocol;
  readonly host: Host;
  readonly scenario: Scenario;
  readonly options: ModelOptions;
}

function prepared(given: Case): Prepared {
  const { cpu, level, vcpus } = given;
  const protocol = protocolOf(given.names, given.tearsDown);
  const machine = machineOf(cpu, 'adjust-populated');
  const map = new MemoryMap('coalesce', level, EXPLORE_BOUNDS.tables, machine);
  const host = unrollHost(protocol, map, 1, vcpus, EXPLORE_BOUNDS);
  const scenario = scenarioOf(host, cpu, given.program, EXPLORE_BOUNDS.nodes);
  return { protocol, host, scenario, options: modelOf(cpu) };
}

/** Every order visited, with what came of it; null if they are too many. */
function ordersOf({ scenario, options }: Prepared, reductions: Reductions): string[] | null {
  const orders: string[] = [];
  const bounds = { ...EXPLORE_BOUNDS, states: STATES_MAX, visits: 1 };
  const search = new Search(
    scenario.system,
    options,
    bounds,
    ({ choice, numbers, memory, outcomes }) => {
      const ends = outcomes.map((mine) => [...mine].join(' '));
      orders.push([choice, numbers, memory, ...ends].join('; '));
      return 'go-on';
    },
    reductions,
  );
  search.advance(Number.POSITIVE_INFINITY);
  return search.stoppedBy === null ? orders : null;
}

/** Outcomes with their counts, and the length of the shortest schedule for each rule; null as above. */
function shownBy({ protocol, host, scenario, options }: Prepared, reductions: Reductions): unknown {
  const outcomes = new Outcomes(protocol.claims);
  const bounds = { ...EXPLORE_BOUNDS, states: STATES_MAX, visits: 1 };
  const collect = outcomes.collector(host, scenario, options, 0);
  const { stoppedBy, orders } = search(scenario.system, options, bounds, collect, reductions);
  if (stoppedBy !== null) return null;
  const table = outcomes.table().map(({ id, grade, count }) => `${count} ${id}: ${grade}`);
  const shown = outcomes
    .shown([host])
    .map(({ rule, why, steps }) => `${rule} ${steps.length} ${why}`);
  return [orders, outcomes.executions, ...table.toSorted(), ...shown.toSorted()];
}

describe('looking ahead', () => {
  it('loses no order', () => {
    fc.assert(
      fc.property(cases, (given) => {
        const ready = prepared(given);
        const whole = ordersOf(ready, { ...REDUCTIONS, lookAhead: false });
        fc.pre(whole !== null);
        expect(ordersOf(ready, { ...REDUCTIONS, lookAhead: true })).toEqual(whole);
      }),
      { numRuns: 25, seed: 13 },
    );
  });
});

describe('vCPUs that are alike', () => {
  const both = (given: Case): [unknown, unknown] => {
    const ready = prepared(given);
    const whole = shownBy(ready, { ...REDUCTIONS, symmetry: false });
    fc.pre(whole !== null);
    return [shownBy(ready, { ...REDUCTIONS, symmetry: true }), whole];
  };

  it('stand for each other', () => {
    let exchanged = 0;
    fc.assert(
      fc.property(small, fc.constantFrom([1], [1, 2], [2]), (given, bbm) => {
        const [reduced, whole] = both({ ...given, cpu: { ...given.cpu, bbm }, vcpus: 2, level: 2 });
        expect(reduced).toEqual(whole);
        if (bbm.length === 1 && given.cpu.hafdbs) exchanged++;
      }),
      { numRuns: 20, seed: 14 },
    );
    expect(exchanged).toBeGreaterThan(0);
  });

  it('do so where there are three of them', () => {
    const late = { kind: 'store', page: 0 } as const;
    const [reduced, whole] = both({
      names: ['invalidate', 'flush', 'block'],
      tearsDown: false,
      program: { early: [], late: [late] },
      cpu: { ...DEFAULT_CPU, hafdbs: true },
      vcpus: 3,
      level: 2,
    });
    expect(reduced).toEqual(whole);
  });

  const likeThreads = (protocol: Protocol, change: ChangeName, bbm: readonly BbmLevel[]) => {
    const map = new MemoryMap(change, 2, EXPLORE_BOUNDS.tables);
    const host = unrollHost(protocol, map, 1, 2, EXPLORE_BOUNDS);
    const program = { early: [], late: [{ kind: 'store', page: 0 }] } as const;
    const cpu = { ...DEFAULT_CPU, bbm };
    return scenarioOf(host, cpu, program, EXPLORE_BOUNDS.nodes).system.alike;
  };

  it('are on PEs of one kind, none of which the hypervisor runs on', () => {
    const bbm = protocolOf(['invalidate', 'flush', 'block'], false);
    expect(likeThreads(bbm, 'coalesce', [1])).toEqual([1, 2]);
    expect(likeThreads(bbm, 'coalesce', [1, 2])).toEqual([]);
    // The handler of a fault runs on the PE that took it.
    expect(likeThreads(relaxLocal, 'relax', [1])).toEqual([]);
  });
});
