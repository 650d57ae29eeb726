/** Schedules of every way through every order of one small scenario. */
import { describe, expect, it, test } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import type { GuestProgram } from '../../../src/explore/protocol/machine/guest.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import {
  extentOf,
  leastLength,
  scheduleOf,
} from '../../../src/explore/protocol/schedule/schedule.ts';
import { hostWays, scheduleInput } from '../../../src/explore/protocol/schedule/schedules.ts';
import { armModel, OrderRun, search } from '../../../src/explore/model/index.ts';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import { MUTANTS, subjectOf } from '../../../src/mutants/index.ts';
import { bbmEarlyWith } from './fixtures.ts';

const PROTOCOL = bbmEarlyWith((cpu) => {
  cpu.dsb('ishst');
  cpu.tlbi({ kind: 'vmalls12e1is' });
});
const PROGRAM: GuestProgram = {
  early: [{ kind: 'store', page: 0 }],
  late: [{ kind: 'load', page: 1 }],
};

/** Least length as it is estimated, and the length it has, of each. */
function lengths(shownTo: 0 | 'whole'): { least: number; length: number; events: number }[] {
  const map = new MemoryMap('coalesce', 2, EXPLORE_BOUNDS.tables);
  const host = unrollHost(PROTOCOL, map, 1, 1, EXPLORE_BOUNDS);
  const scenario = scenarioOf(host, DEFAULT_CPU, PROGRAM, EXPLORE_BOUNDS.nodes);
  const options = armModel('ets2');
  const found: { least: number; length: number; events: number }[] = [];
  search(scenario.system, options, { ...EXPLORE_BOUNDS, visits: 1 }, ({ order }) => {
    new OrderRun(scenario.system, options, 1, (_, trail) => {
      const guests = [{ vcpu: 0, trail, whys: [] }];
      const hosts = hostWays(host, scenario, [0], () => []);
      const input = { ...scheduleInput(host, scenario), order, hosts, guests, shownTo };
      const { length } = scheduleOf(input);
      found.push({ least: leastLength(order, extentOf(trail), 1), length, events: order.length });
    }).run(order);
    return 'go-on';
  });
  return found;
}

describe('a schedule', () => {
  it('is never shorter than it is estimated to be, and often just as long', () => {
    const all = lengths(0);
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(({ least, length }) => least > length)).toEqual([]);
    expect(all.filter(({ least, length }) => least === length).length).toBeGreaterThan(50);
  });

  it('that is whole has every event in it', () => {
    for (const { length, events } of lengths('whole')) expect(length).toBeGreaterThan(events);
  });
});

test('a TLBI that reaches no vCPU is in the schedule: who knows the code looks for it', () => {
  const mutant = MUTANTS.find(({ name }) => name === 'local-tlbi');
  const protocol = mutant === undefined ? null : subjectOf(mutant, 'explore').protocol;
  if (protocol === null) throw new Error('it is a protocol');
  const run = exploreProtocol({
    protocol,
    programs: [{ early: [], late: [{ kind: 'load', page: 0 }] }],
  });
  const shown = run.violations.filter(({ by }) => by === 'schedule');
  expect(shown.length).toBeGreaterThan(0);
  for (const { steps } of shown) {
    expect(steps.map(({ detail }) => detail)).toContain('TLBI VMALLS12E1');
  }
});
