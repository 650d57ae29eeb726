/**
 * Stores that threads are not told of, and neighbours that are taken in program order only, against a
 * search that does neither: random splits, whose table is filled before it is linked, afterwards, or
 * without anything that orders the two; random coalesces; walkers that update descriptors.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CpuModel, DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { machineOf, modelOf } from '../../../src/explore/protocol/cpu.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import type { GuestProgram } from '../../../src/explore/protocol/machine/guest.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { Outcomes } from '../../../src/explore/protocol/outcomes.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import { type Reductions, REDUCTIONS, search } from '../../../src/explore/model/index.ts';
import {
  childLevel,
  type Cpu,
  defineProtocol,
  EMPTY,
  type Protocol,
  type Table,
  type Tables,
  type Transition,
} from '../../../src/port/index.ts';
import { cpus, guest, protocolOf, steps } from './random-protocols.ts';

type Step = (cpu: Cpu, t: Transition, tables: Tables, table: Table) => void;

const fill =
  (index: number, order: 'write' | 'writeRelease', isLate = false): Step =>
  (cpu, t, tables, table) => {
    const leaf = tables.childLeaf(t.wanted, t.level, isLate ? 1 - index : index);
    cpu[order](tables.entryOf(table, index), leaf);
  };

const STEPS: Readonly<Record<string, Step>> = {
  'fill 0': fill(0, 'write'),
  'fill 1': fill(1, 'write'),
  'fill 1, released': fill(1, 'writeRelease'),
  'fill 0 with the other page': fill(0, 'write', true),
  break: (cpu, t) => cpu.write(t.entry, EMPTY),
  flush(cpu) {
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'vmalls12e1is' });
    cpu.dsb('ish');
  },
  'TLBI alone': (cpu) => cpu.tlbi({ kind: 'vmalls12e1is' }),
  'DSB ISHST': (cpu) => cpu.dsb('ishst'),
  link: (cpu, t, tables, table) => cpu.write(t.entry, tables.descriptorFor(table)),
  'link, released': (cpu, t, tables, table) =>
    cpu.writeRelease(t.entry, tables.descriptorFor(table)),
  'read back': (cpu, _t, tables, table) => void cpu.read(tables.entryOf(table, 0)),
};

const splits = fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 2, maxLength: 6 });

function splitOf(names: readonly string[]): Protocol {
  return defineProtocol({
    name: 'split',
    kind: 'split',
    summary: 'random steps',
    origin: 'a test',
    claims: { neverInvalid: true },
    run(cpu, t, tables) {
      const table = tables.allocate(childLevel(t.level));
      for (const name of names) STEPS[name]?.(cpu, t, tables, table);
    },
  });
}

interface Case {
  readonly protocol: Protocol;
  readonly program: GuestProgram;
  readonly cpu: CpuModel;
  readonly vcpus: 1 | 2;
}

const protocols = fc.oneof(
  { weight: 3, arbitrary: splits.map(splitOf) },
  {
    weight: 1,
    arbitrary: fc.tuple(steps(4), fc.boolean()).map((given) => protocolOf(...given)),
  },
);

const cases: fc.Arbitrary<Case> = fc
  .record({
    protocol: protocols,
    program: guest(2),
    cpu: cpus,
    vcpus: fc.constantFrom(1 as const, 1 as const, 2 as const),
    hafdbs: fc.boolean(),
    tlbi: fc.constantFrom('ok' as const, 'ok' as const, 'repeat' as const, 'late-writes' as const),
  })
  .map(({ cpu, hafdbs, tlbi, ...rest }) => ({ ...rest, cpu: { ...cpu, hafdbs, tlbi } }));

const WHOLE: Reductions = { ...REDUCTIONS, sealing: false, programOrder: false };

/** States of the search that leaves out neither: what has more is no case. */
const STATES_MAX = 4000;

interface Found {
  readonly states: number;
  /** Outcomes with their grades, and the length of the shortest schedule for each rule. */
  readonly lines: readonly string[];
}

function found({ protocol, program, cpu, vcpus }: Case, reductions: Reductions): Found | null {
  const change = protocol.kind === 'split' ? 'split' : 'coalesce';
  const map = new MemoryMap(change, 2, EXPLORE_BOUNDS.tables, machineOf(cpu, 'adjust-populated'));
  const host = unrollHost(protocol, map, 1, vcpus, EXPLORE_BOUNDS);
  const scenario = scenarioOf(host, cpu, program, EXPLORE_BOUNDS.nodes);
  const options = modelOf(cpu);
  const outcomes = new Outcomes(protocol.claims);
  const collect = outcomes.collector(host, scenario, options, 0);
  const bounds = { ...EXPLORE_BOUNDS, states: STATES_MAX, visits: 1 };
  const stats = search(scenario.system, options, bounds, collect, reductions);
  if (stats.stoppedBy !== null) return null;
  const table = outcomes.table().map(({ id, grade }) => `${id}: ${grade}`);
  const shown = outcomes.shown([host]).map(({ rule, length }) => `${rule} in ${length}`);
  return { states: stats.states, lines: [...table.toSorted(), ...shown.toSorted()] };
}

describe('what nobody can tell', () => {
  it.for([
    ['stores behind a link', WHOLE, { ...WHOLE, sealing: true }],
    // What is silent mostly is so because it is sealed.
    ['neighbours of one thread', { ...WHOLE, sealing: true }, REDUCTIONS],
  ] as const)('%s', ([, without, reductions]) => {
    let whole = 0;
    let reduced = 0;
    fc.assert(
      fc.property(cases, (given) => {
        const all = found(given, without);
        fc.pre(all !== null);
        const less = found(given, reductions);
        expect(less?.lines).toEqual(all.lines);
        whole += all.states;
        reduced += less?.states ?? 0;
      }),
      { numRuns: 150, seed: 21 },
    );
    expect(reduced).toBeLessThan(whole);
  });

  it('leaves few states of tables that are filled before they are linked', () => {
    const names = ['fill 0', 'fill 1', 'break', 'flush', 'link, released'];
    const cpu = { ...DEFAULT_CPU, hafdbs: true };
    const late = { kind: 'store', page: 0 } as const;
    const program = { early: [late], late: [late] };
    const given = { protocol: splitOf(names), program, cpu, vcpus: 1 } as const;
    const all = found(given, WHOLE);
    expect(found(given, REDUCTIONS)?.lines).toEqual(all?.lines);
    expect(found(given, REDUCTIONS)?.states).toBeLessThan((all?.states ?? 0) / 2);
  });
});
