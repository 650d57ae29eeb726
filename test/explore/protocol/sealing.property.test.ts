/**
 * Stores that threads are not told of, and neighbours that are taken in program order only, against a
 * search that does neither: random splits, whose table is filled before it is linked, afterwards, or
 * without anything that orders the two; random coalesces, whose table is freed behind a flush that takes all
 * of it, a part, or nothing, and linked again; walkers that update descriptors.
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
  type TlbiOp,
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

const flushOf =
  (...kinds: readonly TlbiOp['kind'][]): Step =>
  (cpu, t) => {
    cpu.dsb('ishst');
    for (const kind of kinds) {
      const bytes = t.size / 2;
      const pages = kind.startsWith('ipas') ? [t.ipa, t.ipa + bytes] : [undefined];
      for (const ipa of pages) cpu.tlbi(ipa === undefined ? { kind } : { kind, ipa });
      cpu.dsb('ish');
    }
  };

/** Of the table that is there at first. */
const COALESCE: Readonly<Record<string, Step>> = {
  break: (cpu, t) => cpu.write(t.entry, EMPTY),
  block: (cpu, t) => cpu.writeRelease(t.entry, t.wanted),
  'flush all': flushOf('vmalls12e1is'),
  'flush by page': flushOf('ipas2e1is', 'vmalle1is'),
  'flush by page alone': flushOf('ipas2e1is'),
  'flush leaves': flushOf('ipas2le1is', 'vmalle1is'),
  'flush stage 1': flushOf('vmalle1is'),
  'TLBI alone': (cpu) => cpu.tlbi({ kind: 'vmalls12e1is' }),
  free: (_cpu, t, tables, table) => tables.tearDown(table, childLevel(t.level)),
  'store to the table': (cpu, _t, tables, table) => cpu.write(tables.entryOf(table, 0), EMPTY),
  'table again': (cpu, t) => cpu.write(t.entry, t.old),
};

const splits = fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 2, maxLength: 6 });

function splitOf(names: readonly string[]): Protocol {
  return defineProtocol({
    name: 'split',
    kind: 'split',
    summary: names.join(', '),
    origin: 'a test',
    claims: { neverInvalid: true },
    run(cpu, t, tables) {
      const table = tables.allocate(childLevel(t.level));
      for (const name of names) STEPS[name]?.(cpu, t, tables, table);
    },
  });
}

const coalesces = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...Object.keys(COALESCE)).map((name) => [name]) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom('flush all', 'flush by page', 'flush leaves', 'flush stage 1')
          .map((flush) => ['break', flush, 'free']),
      },
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.flat())
  // A page is freed once.
  .filter((names) => names.filter((name) => name === 'free').length <= 1);

function coalesceOf(names: readonly string[]): Protocol {
  return defineProtocol({
    name: 'coalesce',
    kind: 'coalesce',
    summary: 'random steps',
    origin: 'a test',
    claims: {},
    run(cpu, t, tables) {
      const table = tables.follow(t.old);
      for (const name of names) COALESCE[name]?.(cpu, t, tables, table);
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
  { weight: 2, arbitrary: splits.map(splitOf) },
  { weight: 2, arbitrary: coalesces.map(coalesceOf) },
  {
    weight: 1,
    arbitrary: fc.tuple(steps(4), fc.boolean()).map((given) => protocolOf(...given)),
  },
);

const BOTH_PAGES: GuestProgram = {
  early: [{ kind: 'load', page: 1 }],
  late: [{ kind: 'store', page: 0 }],
};

const cases: fc.Arbitrary<Case> = fc
  .record({
    protocol: protocols,
    program: fc.oneof(guest(2), fc.constant(BOTH_PAGES)),
    cpu: cpus,
    vcpus: fc.constantFrom(1 as const, 1 as const, 2 as const),
    hafdbs: fc.boolean(),
    tlbi: fc.constantFrom('ok' as const, 'ok' as const, 'repeat' as const, 'late-writes' as const),
  })
  .map(({ cpu, hafdbs, tlbi, ...rest }) => ({ ...rest, cpu: { ...cpu, hafdbs, tlbi } }));

const WHOLE: Reductions = {
  ...REDUCTIONS,
  sealing: false,
  unlinked: false,
  programOrder: false,
};

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
  // Where a read of what is silent stands in a schedule is up to what is silent, too.
  const isRead = cpu.hafdbs && protocol.summary.includes('read back');
  const shown = outcomes
    .shown([host])
    .map(({ rule, length }) => (isRead ? rule : `${rule} in ${length}`));
  return { states: stats.states, lines: [...table.toSorted(), ...shown.toSorted()] };
}

describe('what nobody can tell', () => {
  const NAMES = ['sealing', 'unlinked', 'programOrder'] as const;
  const RUNS = 120;

  it('may be left out: the same outcomes, rules and lengths of schedules', () => {
    let all = 0;
    const without = NAMES.map((name) => ({ name, states: 0 }));
    fc.assert(
      fc.property(cases, (given) => {
        const whole = found(given, WHOLE);
        fc.pre(whole !== null);
        const reduced = found(given, REDUCTIONS);
        expect(reduced?.lines).toEqual(whole.lines);
        all += reduced?.states ?? 0;
        for (const each of without) {
          const others = found(given, { ...REDUCTIONS, [each.name]: false });
          expect(others?.lines, `without ${each.name}`).toEqual(whole.lines);
          each.states += others?.states ?? 0;
        }
      }),
      { numRuns: RUNS, seed: 21 },
    );
    // A reduction that leaves out nothing would pass.
    const idle = without.filter(({ states }) => states <= all);
    expect(idle).toEqual([]);
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
