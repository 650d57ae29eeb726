/**
 * What the explorer leaves out against an exploration that leaves out nothing: random protocols, guest
 * stores that are events, stores of the hypervisor that nobody reads, every order. Outcomes, grades
 * and broken rules have to be the same.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import type { GuestProgram } from '../../../src/explore/protocol/machine/guest.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { Outcomes } from '../../../src/explore/protocol/outcomes.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { type Scenario, scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import {
  armModel,
  type Node,
  search,
  type ThreadProgram,
} from '../../../src/explore/model/index.ts';
import { ordersTried, plainSearch } from '../model/plain-search.ts';
import { cpus, guest, protocolOf, steps } from './random-protocols.ts';

/** The same tree, its stores events of the order. */
function seen(node: Node): Node {
  const all = <K>(next: ReadonlyMap<K, Node>): Map<K, Node> =>
    new Map([...next].map(([key, child]) => [key, seen(child)]));
  switch (node.kind) {
    case 'read':
      return { ...node, next: all(node.next), faults: all(node.faults) };
    case 'write':
      return { ...node, unseen: false, next: all(node.next), faults: all(node.faults) };
    case 'dmb':
      return { ...node, next: seen(node.next) };
    case 'end':
      return node;
    default:
      throw new Error(`a guest has no ${node.kind}`);
  }
}

function words(outcomes: Outcomes): string[] {
  const rules = outcomes.shown([]).map(({ rule }) => rule);
  const table = outcomes.table().map(({ id, grade }) => `${id}: ${grade}`);
  return [...table.toSorted(), ...rules.toSorted()];
}

interface Case {
  readonly names: readonly string[];
  readonly tearsDown: boolean;
  readonly program: GuestProgram;
  readonly cpu: CpuModel;
  readonly vcpus: 1 | 2;
  readonly hafdbs?: boolean;
}

/** Orders one case may have: all of them are gone through, one by one. */
const ORDERS_MAX = 1500;

/** What the reduced exploration finds, and what the whole one does. */
function both(given: Case): [string[], string[]] {
  const { names, tearsDown, program, cpu, vcpus, hafdbs = false } = given;
  const protocol = protocolOf(names, tearsDown);
  const map = new MemoryMap('coalesce', 2, EXPLORE_BOUNDS.tables, { hafdbs });
  const host = unrollHost(protocol, map, 1, vcpus, EXPLORE_BOUNDS);
  const scenario = scenarioOf(host, cpu, program, EXPLORE_BOUNDS.nodes);
  const options = armModel(cpu.ets === 'ets2' ? 'ets2' : 'base');

  const reduced = new Outcomes(protocol.claims);
  const bounds = { ...EXPLORE_BOUNDS, visits: 1 };
  const collect = reduced.collector(host, scenario, options, 0);
  const stats = search(scenario.system, options, bounds, collect);
  expect(stats.stoppedBy).toBeNull();

  const [hypervisor, ...guests] = scenario.system.threads;
  const whole = host.threads[0]?.tree(() => true);
  assert(whole !== undefined);
  const threads: ThreadProgram[] = [
    { vcpu: hypervisor?.vcpu ?? 0, root: whole.root, reads: whole.reads },
    ...guests.map((thread) => ({ ...thread, root: seen(thread.root) })),
  ];
  const all: Scenario = {
    ...scenario,
    system: { ...scenario.system, threads },
    ways: [whole.paths],
    isRead: () => true,
  };
  fc.pre(ordersTried(all.system, options) <= ORDERS_MAX);
  const plain = new Outcomes(protocol.claims);
  plainSearch(all.system, options, plain.collector(host, all, options, 0));
  return [words(reduced), words(plain)];
}

describe('an exploration that leaves out what nobody can tell', () => {
  it('finds with one vCPU what the whole one finds', () => {
    fc.assert(
      fc.property(steps(4), fc.boolean(), guest(2), cpus, (names, tearsDown, program, cpu) => {
        const [reduced, plain] = both({ names, tearsDown, program, cpu, vcpus: 1 });
        expect(reduced).toEqual(plain);
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  it('finds where walkers update descriptors what the whole one finds', () => {
    let lost = 0;
    fc.assert(
      fc.property(steps(4), guest(1), cpus, (names, program, cpu) => {
        const all = { names, tearsDown: false, program, cpu, vcpus: 1, hafdbs: true } as const;
        const [reduced, plain] = both(all);
        expect(reduced).toEqual(plain);
        if (reduced.includes('lost-dirty')) lost++;
      }),
      { numRuns: 150, seed: 9 },
    );
    expect(lost).toBeGreaterThan(0);
  });

  it('finds with two vCPUs what the whole one finds', () => {
    fc.assert(
      fc.property(steps(3), guest(1), cpus, (names, program, cpu) => {
        const [reduced, plain] = both({ names, tearsDown: false, program, cpu, vcpus: 2 });
        expect(reduced).toEqual(plain);
      }),
      { numRuns: 60, seed: 6 },
    );
  });
});
