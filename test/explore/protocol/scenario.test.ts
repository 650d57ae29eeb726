/**
 * Stores that nobody reads are left out of the search: that has to change nothing but its cost. And
 * the TLB structures of the model have to be those of src/arch/tlbi.ts.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import { type GuestProgram, guestPrograms } from '../../../src/explore/protocol/machine/guest.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import { armModel, search, type System } from '../../../src/explore/model/index.ts';
import { plainChange, type Protocol } from '../../../src/port/index.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import { bbmEarlyWith, builtin, exploreLoads, shownRules } from './fixtures.ts';

const WITH_STORES: readonly GuestProgram[] = [
  { early: [{ kind: 'store', page: 1 }], late: [{ kind: 'load', page: 0 }] },
  { early: [], late: [{ kind: 'store', page: 0 }] },
];
const BOUNDS = { ...EXPLORE_BOUNDS, visits: 1 };

function guestOutcomes(system: System): { outcomes: number[]; states: number } {
  const found = new Set<number>();
  const stats = search(system, armModel('ets2'), BOUNDS, ({ outcomes }) => {
    for (const outcome of outcomes[1]?.keys() ?? []) found.add(outcome);
    return 'go-on';
  });
  expect(stats.stoppedBy).toBeNull();
  return { outcomes: [...found].toSorted((a, b) => a - b), states: stats.states };
}

/** With the stores nobody reads left out, and with all of them. */
function both(protocol: Protocol, program: GuestProgram) {
  const map = new MemoryMap(plainChange(protocol), 2, EXPLORE_BOUNDS.tables);
  const host = unrollHost(protocol, map, 1, 1, EXPLORE_BOUNDS);
  const { system } = scenarioOf(host, DEFAULT_CPU, program, EXPLORE_BOUNDS.nodes);
  const [, ...guests] = system.threads;
  const trees = host.threads.map(({ tree }) => tree(() => true));
  const whole = {
    ...system,
    threads: [...trees.map(({ root, reads }) => ({ vcpu: 0, root, reads })), ...guests],
  };
  return { some: guestOutcomes(system), all: guestOutcomes(whole) };
}

const noTlbi = MUTANTS.flatMap(({ name, seed }) =>
  name === 'no-tlbi' && seed.kind === 'protocol' ? [seed.protocol] : [],
);

describe('leaving out stores that nobody reads', () => {
  it.each([
    ...['bbm-early', 'rfc-nt-intended', 'split-lazy', 'split-eager'].map(builtin),
    ...noTlbi,
  ])('changes no outcome of $name', (protocol) => {
    for (const program of [...guestPrograms(['load'], 2), ...WITH_STORES]) {
      const { some, all } = both(protocol, program);
      expect(some.outcomes).toEqual(all.outcomes);
      expect(some.states).toBeLessThanOrEqual(all.states);
    }
  });
});

describe('a machine without a TLB', () => {
  it('keeps nothing, but a walk may still begin before the lock is seen free', () => {
    const protocol = bbmEarlyWith((cpu) => cpu.dsb('ish'));
    const all = ['freed-table', 'stale-translation', 'tlb-conflict'];
    expect(shownRules(exploreLoads(protocol))).toEqual(all);
    expect(shownRules(exploreLoads(protocol, { tlb: 0 }))).toEqual(['stale-translation']);
  });
});
