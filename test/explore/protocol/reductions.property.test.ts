/**
 * Each reduction of the search against the search without it, on random protocols: tables of one and
 * two levels, walkers that update descriptors, cores whose TLBIs fall short.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/bounds.ts';
import { machineOf, modelOf } from '../../../src/explore/protocol/cpu.ts';
import type { GuestProgram } from '../../../src/explore/protocol/guest.ts';
import { MemoryMap } from '../../../src/explore/protocol/memory-map.ts';
import { scenarioOf, unrollHost } from '../../../src/explore/protocol/scenario.ts';
import {
  type ModelOptions,
  type Reductions,
  REDUCTIONS,
  Search,
  type System,
} from '../../../src/explore/model/index.ts';
import { access, cpus, guest, protocolOf, steps } from './random-protocols.ts';

interface Case {
  readonly names: readonly string[];
  readonly tearsDown: boolean;
  readonly program: GuestProgram;
  readonly cpu: CpuModel;
  readonly vcpus: 1 | 2;
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

/** States of the search without the reduction: what has more is no case. */
const STATES_MAX = 2500;

interface Prepared {
  readonly system: System;
  readonly options: ModelOptions;
}

function prepared(given: Case): Prepared {
  const { cpu, level, vcpus } = given;
  const protocol = protocolOf(given.names, given.tearsDown);
  const machine = machineOf(cpu, 'adjust-populated');
  const map = new MemoryMap('coalesce', level, EXPLORE_BOUNDS.tables, machine);
  const host = unrollHost(protocol, map, 1, vcpus, EXPLORE_BOUNDS);
  const { system } = scenarioOf(host, cpu, given.program, EXPLORE_BOUNDS.nodes);
  return { system, options: modelOf(cpu) };
}

/** Every order visited, with what came of it; null if they are too many. */
function ordersOf({ system, options }: Prepared, reductions: Reductions): string[] | null {
  const orders: string[] = [];
  const bounds = { ...EXPLORE_BOUNDS, states: STATES_MAX, visits: 1 };
  const search = new Search(
    system,
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

describe('looking ahead', () => {
  it('loses no order', () => {
    fc.assert(
      fc.property(cases, (given) => {
        const ready = prepared(given);
        const whole = ordersOf(ready, { ...REDUCTIONS, lookAhead: false });
        fc.pre(whole !== null);
        expect(ordersOf(ready, { ...REDUCTIONS, lookAhead: true })).toEqual(whole);
      }),
      { numRuns: 100, seed: 13 },
    );
  });
});
