/**
 * Every protocol, run once through the transition port on real tables: its steps are those
 * listed here, the entry holds what was wanted, counts are right and nothing leaks.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assertNever } from '../../src/arch/assert.ts';
import { EMPTY, isTable, LOCKED, NT } from '../../src/arch/descriptor.ts';
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import type { BlockLevel } from '../../src/arch/geometry.ts';
import { GHOST_STABLE, ghostWord } from '../../src/machine/ghost.ts';
import { createRecorder } from '../../src/machine/recorder.ts';
import { createIssuer } from '../../src/machine/tlb/shootdown.ts';
import { createTraceLog } from '../../src/machine/hypervisor/trace-log.ts';
import { traceAddresses } from '../../src/machine/hypervisor/trace-words.ts';
import { createTransitionCpu } from '../../src/machine/hypervisor/transition-cpu.ts';
import { createAudit } from '../../src/pgtable/audit.ts';
import type { Cpu, Entry } from '../../src/port/cpu.ts';
import type { Protocol, Transition } from '../../src/port/protocol.ts';
import type { Table, Tables } from '../../src/port/tables.ts';
import type { TraceEvent, TransitionTrace } from '../../src/port/trace.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import { createTransitionRunner } from '../../src/stress/changes/transition-runner.ts';
import { createTestMachine, type TestMachine } from '../machine/machine.ts';

const VMID = ['dsb ishst', 'tlbi vmalls12e1is', 'dsb ish', 'isb'];
const IPA = ['dsb ishst', 'tlbi ipas2e1is entry', 'dsb ish', 'tlbi vmalle1is', 'dsb ish', 'isb'];
const RANGE = [
  'dsb ishst',
  'tlbi ripas2e1is region',
  'dsb ish',
  'tlbi vmalle1is',
  'dsb ish',
  'isb',
];
const L0 = ['write invalid', ...VMID, 'release block', 'free all', 'dsb ishst'];

/** As KVM and the RFC have them, or would. `free all` is the whole old subtree, `free below` all but its top page. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  'bbm-late': ['write invalid', ...VMID, 'free all', 'put', 'release block', 'get', 'dsb ishst'],
  'bbm-late-cmo': [
    'write empty',
    ...VMID,
    'free below',
    'clean',
    'release block',
    'get',
    'free top',
    'put',
    'dsb ishst',
  ],
  'bbm-early': L0,
  'bbm-early-locked': [
    'cas locked',
    ...VMID,
    'put',
    'clean',
    'get',
    'release block',
    'free later',
    'dsb ishst',
  ],
  'bbm-early-range': [
    'cas locked',
    ...RANGE,
    'put',
    'clean',
    'get',
    'release block',
    'free later',
    'dsb ishst',
  ],
  'rfc-l0': ['write invalid', ...L0],
  'rfc-nt-posted': [
    'write invalid',
    'write block|nT',
    ...VMID,
    'write block',
    'free all',
    'dsb ishst',
  ],
  'rfc-nt-intended': ['write block|nT', ...VMID, 'write block', 'free all', 'dsb ishst'],
  'nt-spec': ['release block|nT', ...VMID, 'write block', ...VMID, 'free all'],
  'bbml2-direct': ['cas block', ...VMID, 'free all'],
  'bbml3-direct': ['cas block', ...VMID, 'free all'],
  'split-lazy': [
    'allocate',
    'write invalid',
    ...IPA,
    'put',
    'release table',
    'get',
    'map a page',
    'dsb ishst',
  ],
  'split-eager': ['build', 'write locked', ...IPA, 'put', 'get', 'release table', 'dsb ishst'],
  'nt-split': ['build', 'write block|nT', ...IPA, 'release table', ...IPA],
};

/** How split-lazy maps its page: one more table at level 1. */
const MAP_A_PAGE: Readonly<Record<BlockLevel, readonly string[]>> = {
  1: ['allocate', 'release table in child', 'get child', 'release page in child', 'get child'],
  2: ['release page in child', 'get child'],
};

function stepsOf(name: string, level: BlockLevel): string[] {
  const expand = (step: string): readonly string[] =>
    step === 'map a page' ? MAP_A_PAGE[level] : [step];
  return (STEPS[name] ?? []).flatMap(expand);
}

/** Pages of the subtree below an entry. */
const SUBTREE: Readonly<Record<BlockLevel, number>> = { 1: 513, 2: 1 };

/** A trace in the words of the table above. What deviates is spelt out, so that it differs. */
function wordsOf(t: TransitionTrace): string[] {
  const block = isTable(t.old, t.level) ? t.wanted : t.old;
  function valueOf(value: bigint, isTarget: boolean): string {
    if (value === EMPTY) return 'empty';
    if (value === LOCKED) return 'locked';
    if (value === (t.old & ~1n)) return 'invalid';
    if (value === t.wanted) return 'block';
    if (value === (block | NT)) return 'block|nT';
    if (isTarget) return isTable(value, t.level) ? 'table' : `value ${value}`;
    return value >> 32n === t.wanted >> 32n ? 'page in child' : 'table in child';
  }
  function wordOf(e: TraceEvent): string {
    switch (e.op) {
      case 'write':
        return `${{ plain: 'write', release: 'release', cas: 'cas' }[e.order]} ${valueOf(
          e.value,
          e.entry === 'target',
        )}`;
      case 'dsb':
        return `dsb ${e.kind}`;
      case 'tlbi': {
        const { kind, ipa, size, ttl, vmid, ...rest } = e.tlbi;
        expect([vmid, Object.keys(rest)]).toEqual([undefined, []]);
        if (ipa === undefined) return `tlbi ${kind}`;
        const isEntry = ipa === t.ipa && size === undefined && ttl === t.level;
        const isRegion = ipa === t.ipa && size === t.size && ttl === undefined;
        return `tlbi ${kind} ${isEntry ? 'entry' : isRegion ? 'region' : `${ipa} ${size} ${ttl}`}`;
      }
      case 'free': {
        const all = SUBTREE[t.level];
        const own = e.table === 'old' ? '' : ' of its own';
        if (e.when === 'grace') return `free later${own}`;
        if (e.tables === all - 1) return `free below${own}`;
        return `free ${e.tables === all ? 'all' : e.tables === 1 ? 'top' : e.tables}${own}`;
      }
      case 'cmo':
        return e.size === t.size && e.pa === t.pa ? 'clean' : `clean ${e.pa} ${e.size}`;
      case 'get':
      case 'put':
        return e.entry === 'target' ? e.op : `${e.op} child`;
      case 'read':
        return `read ${e.entry}`;
      case 'dmb':
        return `dmb ${e.kind}`;
      case 'vttbr':
        return `vttbr ${e.table}`;
      case 'tge':
        return `tge ${e.on ? 'on' : 'off'}`;
      case 'isb':
      case 'ipi':
      case 'build':
      case 'allocate':
      case 'no-memory':
        return e.op;
      default:
        return assertNever(e);
    }
  }
  const words = t.events.map(wordOf);
  // With one table below the entry, "all" and "top" are the same page: the order tells.
  return SUBTREE[t.level] > 1
    ? words
    : words.map((w, i) =>
        w === 'free all' && words.slice(0, i).includes('free below') ? 'free top' : w,
      );
}

interface Outcome {
  /** The entry holds what was wanted. */
  readonly arrived: boolean;
  readonly words: readonly string[];
  readonly before: bigint;
  readonly after: bigint;
}

/** Runs `protocol` on region 0, after whatever brings it into the state it starts from. */
function run(m: TestMachine, protocol: Protocol, bbm: BbmLevel, reorder: number | null): Outcome {
  const { arena, regions, software } = m;
  const { layout } = arena;
  const region = regions.all[0];
  if (region === undefined) throw new Error('no region');
  const port = createTransitionCpu(
    arena,
    createIssuer(arena, { bug: null, spins: 0, own: null }),
    software.tables,
    createRecorder(arena, 0),
    {
      bug: null,
      freedCount: () => software.freedCount(),
      reorderSeed: reorder,
      delays: [],
      delaySeed: 1,
    },
  );
  const recorder = createRecorder(arena, 0);
  const runner = createTransitionRunner(arena, regions, software, port, recorder, () => bbm, 0);
  const addresses = traceAddresses(layout);
  if (protocol.kind === 'split') {
    const coalesce = PROTOCOLS.find((p) => p.name === 'bbm-early') as Protocol;
    runner.run(coalesce, region, 0, false, createTraceLog(addresses));
  }
  const log = createTraceLog(addresses);
  const before = Atomics.load(arena.descriptors, region.entry);
  const arrived = runner.run(protocol, region, 1, true, log) === 'made';
  const [seen, ...more] = log.seen;
  expect(more).toEqual([]);
  if (seen === undefined) throw new Error('no trace');
  const after = Atomics.load(arena.descriptors, region.entry);
  return { arrived, words: wordsOf(seen.trace), before, after };
}

function audit(m: TestMachine): { evidence: readonly unknown[]; reachable: number } {
  const { layout } = m.arena;
  const level = layout.startLevel as 0 | 1 | 2;
  const roots = [{ root: 0 as Table, level, pages: layout.rootPages }];
  const { evidence, reachable } = createAudit(m.software.pool, roots).run(null);
  return { evidence, reachable };
}

test('the table of steps names every protocol', () => {
  expect(Object.keys(STEPS).toSorted()).toEqual(PROTOCOLS.map((p) => p.name).toSorted());
});

describe.each<BlockLevel>([2, 1])('at level %i', (level) => {
  const m = createTestMachine({ level, blocks: 1 });
  const { layout } = m.arena;
  beforeEach(() => m.regions.rebuild());

  describe.each(PROTOCOLS)('$name', (protocol) => {
    // The level the protocol is for, or the RFC's.
    const bbm = protocol.cpu?.bbm?.[0] ?? 1;

    test('does the steps of the table, and arrives', () => {
      const reachable = audit(m).reachable;
      const { arrived, words, before, after } = run(m, protocol, bbm, null);
      expect(words).toEqual(stepsOf(protocol.name, level));
      expect(arrived).toBe(true);
      expect(isTable(before, level)).toBe(protocol.kind === 'coalesce');
      expect(isTable(after, level)).toBe(protocol.kind === 'split');
      const tables: Record<string, number> = {
        coalesce: reachable - SUBTREE[level],
        split: protocol.name === 'split-lazy' ? reachable - SUBTREE[level] + 3 - level : reachable,
      };
      expect(audit(m)).toEqual({ evidence: [], reachable: tables[protocol.kind] });
      expect(m.evidence(), 'nobody saw anything').toEqual([]);
    });

    test('leaves every page where it was, readable and writable', () => {
      run(m, protocol, bbm, null);
      const mmu = m.mmu({ tlb: 0, walkcache: false });
      const pages =
        protocol.name === 'split-lazy' ? [0] : [0, 1, layout.pages / 2, layout.pages - 1];
      for (const page of pages) {
        const data = mmu.translate(page);
        expect([data >>> 10, data & 3]).toEqual([page, 3]);
      }
      const version = protocol.kind === 'split' ? 2 : 1;
      expect((m.ghost(0) >> 2) % 2, 'odd versions are blocks').toBe(version % 2);
      expect(m.ghost(0) & 3).toBe(GHOST_STABLE);
      expect(m.evidence()).toEqual([]);
    });
  });
});

describe('with stores visible late and out of order', () => {
  const m = createTestMachine({ level: 2, blocks: 1 });
  beforeEach(() => m.regions.rebuild());

  test.each(PROTOCOLS)('$name ends the same', (protocol) => {
    for (let seed = 1; seed <= 40; seed++) {
      m.regions.rebuild();
      const { arrived, words } = run(m, protocol, protocol.cpu?.bbm?.[0] ?? 1, seed * 7919);
      expect(arrived).toBe(true);
      expect(words).toEqual(stepsOf(protocol.name, 2));
      expect(audit(m).evidence).toEqual([]);
    }
  });
});

describe('the RFC by BBM level', () => {
  const m = createTestMachine({ level: 2, blocks: 1 });
  const named = (name: string): Protocol => PROTOCOLS.find((p) => p.name === name) as Protocol;
  afterEach(() => m.regions.rebuild());

  test.each<[string, BbmLevel, readonly string[]]>([
    ['rfc-nt-posted', 0, ['write invalid', ...L0]],
    ['rfc-nt-posted', 2, stepsOf('rfc-nt-posted', 2)],
    ['rfc-nt-intended', 0, L0],
    ['rfc-nt-intended', 2, stepsOf('rfc-nt-intended', 2)],
    ['rfc-nt-intended', 3, stepsOf('rfc-nt-intended', 2)],
  ])('%s at %i', (name, bbm, steps) => {
    const { arrived, words } = run(m, named(name), bbm, null);
    expect(words).toEqual(steps);
    expect(arrived).toBe(true);
    expect(audit(m).evidence).toEqual([]);
  });

  test('as posted, level 3 invalidates, gives up and leaks the table (D2)', () => {
    const { arrived, words, before, after } = run(m, named('rfc-nt-posted'), 3, null);
    expect(words).toEqual(['write invalid']);
    expect(arrived).toBe(false);
    expect(after).toBe(before & ~1n);
    expect(audit(m).evidence).toContainEqual(expect.objectContaining({ kind: 'leak', tables: 1 }));
  });
});

test.each(PROTOCOLS.filter((p) => (STEPS[p.name] ?? []).some((s) => s.startsWith('cas'))))(
  '$name does nothing more if the entry has changed',
  (protocol) => {
    const calls: string[] = [];
    const cpu = {
      compareExchange: () => {
        calls.push('cas');
        return LOCKED;
      },
    } as unknown as Cpu;
    const tables = { follow: () => 1 } as unknown as Tables;
    const old = 0x4_0000_1003n;
    const t = { entry: 0 as Entry, level: 2, ipa: 0, size: 2 ** 21, old, wanted: 1n, pa: 0 };
    // Anything else would be a call of something that is not there.
    protocol.run(cpu, { ...t, bbm: 3 } as Transition, tables);
    expect(calls).toEqual(['cas']);
  },
);

test('a region starts at an even version, in table state', () => {
  const m = createTestMachine({ blocks: 1 });
  expect(m.ghost(0)).toBe(ghostWord(0, GHOST_STABLE));
  expect(isTable(m.peek(0, 2), 2)).toBe(true);
});
