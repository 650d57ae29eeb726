/** A vCPU alone: every access completes and is checked; what is wrong is written down. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CpuModel, DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { AF, EMPTY, makeLeaf, S2AP_W } from '../../src/arch/descriptor.ts';
import { createDirtyLog } from '../../src/machine/dirty/dirty-log.ts';
import { createRingSync, createVcpuRing } from '../../src/machine/dirty/dirty-rings.ts';
import { createFaultHandler } from '../../src/machine/vcpu/fault-exit.ts';
import { GHOST_CHANGING, ghostWord } from '../../src/machine/ghost.ts';
import {
  CONTROL,
  GHOST,
  guestWordOf,
  LOGGING,
  type MachineConfig,
  RING_ENTRIES,
  TRANSITION,
  VCPU,
} from '../../src/machine/layout.ts';
import { PATTERNS } from '../../src/machine/vcpu/guest-pattern.ts';
import { createRecorder, EVENT, type Recorder } from '../../src/machine/recorder.ts';
import { createRunTokens } from '../../src/machine/vcpu/run-tokens.ts';
import { createIssuer } from '../../src/machine/tlb/shootdown.ts';
import { createSoftwareCpu } from '../../src/machine/hypervisor/software-cpu.ts';
import {
  createGuest,
  createVcpu,
  type Vcpu,
  type VcpuOptions,
} from '../../src/machine/vcpu/vcpu.ts';
import { createTestMachine, type TestMachine } from './machine.ts';

const ACCESSES = 20_000;

interface Bench {
  readonly m: TestMachine;
  readonly vcpu: Vcpu;
  count(name: 'issued' | 'completed' | 'mode' | 'walks'): number;
  /** At whatever transition, or at none. */
  faults(kind: 'genuine' | 'spurious'): number;
}

function benchOf(
  change: Partial<VcpuOptions> = {},
  config: Partial<MachineConfig> = {},
  m = createTestMachine({ blocks: 1, vcpus: 1, ...config }),
  recorder = createRecorder(m.arena, 1),
): Bench {
  const { arena, software } = m;
  const issuer = createIssuer(arena, { bug: null, spins: 0, own: null });
  const cpu = createSoftwareCpu(arena, issuer);
  const handler = createFaultHandler(arena, cpu, software.tables, software.grace, {
    vcpu: 0,
    spins: 0,
    partial: true,
    isShared: () => false,
  });
  const options: VcpuOptions = {
    vcpu: 0,
    cpu: DEFAULT_CPU,
    access: 'wasm',
    bug: null,
    pattern: 'uniform',
    storesPercent: 50,
    exitEvery: 1024,
    pollsEachAccess: true,
    beforeEntry: null,
    isMapped: null,
    ...change,
  };
  const tokens = createRunTokens(arena, 1);
  const guest = createGuest(arena);
  return {
    m,
    vcpu: createVcpu(arena, options, guest, recorder, handler, tokens),
    count: (name) => arena.i32[arena.layout.vcpuW + VCPU[name]] as number,
    faults: (kind) => {
      const { transitionW, outsideW } = arena.layout;
      let sum = 0;
      for (let w = transitionW; w <= outsideW; w += TRANSITION.words)
        sum += arena.i32[w + TRANSITION[kind]] as number;
      return sum;
    },
  };
}

test.each<[string, Partial<VcpuOptions>]>([
  ['the default', {}],
  ['no TLB', { cpu: { ...DEFAULT_CPU, tlb: 0 } }],
  ['a small TLB and no walk cache', { cpu: { ...DEFAULT_CPU, tlb: 4, walkcache: false } }],
  ['speculation', { cpu: { ...DEFAULT_CPU, spec: true } }],
  ['loads only', { storesPercent: 0 }],
  ['stores only', { storesPercent: 100, pattern: 'sweep' }],
])('%s: every access completes, in the guest word it belongs to', (_name, options) => {
  const b = benchOf(options);
  b.vcpu.runAccesses(ACCESSES);
  b.vcpu.compareMemory();
  expect([b.count('issued'), b.count('completed')]).toEqual([ACCESSES, ACCESSES]);
  expect([b.faults('spurious'), b.faults('genuine'), b.count('mode')]).toEqual([0, 0, 0]);
  expect(b.m.evidence()).toEqual([]);
});

describe('a round', () => {
  afterEach(() => void vi.restoreAllMocks());

  function storedBy({ m: { arena } }: Bench): readonly number[] {
    const { i32, layout } = arena;
    const wordOf = (page: number): number =>
      i32[guestWordOf(layout, 0) + page * layout.guestStrideW] as number;
    return Array.from({ length: layout.pages }, (_, page) => wordOf(page));
  }

  function roundOf(naps: boolean) {
    const hooks = { naps, exitEvery: 128, beforeEntry: (): void => over() };
    const b = benchOf(hooks);
    const { i32 } = b.m.arena;
    let entries = 0;
    const over = (): void => {
      if (++entries === 64) Atomics.store(i32, CONTROL.roundEnd, 1);
    };
    const lengths: number[] = [];
    vi.spyOn(Atomics, 'wait').mockImplementation((_words, _index, _value, ms) => {
      lengths.push(ms ?? Infinity);
      return 'timed-out';
    });
    expect(b.vcpu.runRound(1, 7)).toBe(true);
    expect(b.count('completed')).toBe(64 * 128);
    return { lengths, memory: storedBy(b) };
  }

  test('is one run where nobody else wants the CPU', () => {
    expect(roundOf(false).lengths).toEqual([]);
  });

  test('is bursts with sleeps between, each of its own length, where others do', () => {
    const { lengths, memory } = roundOf(true);
    // Of 64 batches, after one to eight each.
    expect(lengths.length).toBeGreaterThanOrEqual(64 / 8);
    expect(lengths.length).toBeLessThan(64);
    expect(new Set(lengths).size).toBe(lengths.length);
    expect(Math.max(...lengths)).toBeLessThan(0.5);
    // The seed says which accesses there are.
    expect(memory).toEqual(roundOf(false).memory);
  });
});

describe('with hardware dirty state', () => {
  /** Pages whose guest word changed, and pages whose descriptor says so. */
  function after(storesPercent: number, cpu: Partial<CpuModel> = {}) {
    const hafdbs = { ...DEFAULT_CPU, ...cpu, hafdbs: true };
    const b = benchOf({ storesPercent, cpu: hafdbs }, { hafdbs: true });
    const { layout, i32 } = b.m.arena;
    const all = Array.from({ length: layout.pages }, (_, page) => page);
    for (const page of all) b.m.poke(page, 3, b.m.peek(page, 3) & ~(S2AP_W | AF));
    b.vcpu.runAccesses(storesPercent === 1 ? 2000 : ACCESSES);
    const wordOf = (page: number) => i32[guestWordOf(layout, 0) + page * layout.guestStrideW];
    return {
      b,
      stored: all.filter((page) => wordOf(page) !== 0),
      dirty: all.filter((page) => (b.m.peek(page, 3) & S2AP_W) !== 0n),
      accessed: all.filter((page) => (b.m.peek(page, 3) & AF) !== 0n),
    };
  }

  test.each<[number, Partial<CpuModel>]>([
    [0, {}],
    [1, {}],
    [50, {}],
    [1, { tlb: 0 }],
    [1, { tlb: 4, walkcache: false }],
    [1, { spec: true }],
  ])(
    '%i per cent stores, %o: exactly the pages stored to are dirty, without one exit',
    (percent, cpu) => {
      const { b, stored, dirty, accessed } = after(percent, cpu);
      expect(dirty).toEqual(stored);
      expect(accessed.length).toBeGreaterThanOrEqual(stored.length);
      expect([stored.length > 0, stored.length < 100]).toEqual([percent > 0, percent < 50]);
      expect([b.faults('spurious'), b.faults('genuine')]).toEqual([0, 0]);
      const outside = b.m.arena.layout.outsideW + TRANSITION.genuine;
      expect(b.m.arena.i32[outside]).toBe(0);
      expect(b.m.evidence()).toEqual([]);
    },
  );
});

test.each([1, 50, 100])(
  'with a dirty ring, %i per cent stores: each page stored to is logged once it is put',
  (storesPercent) => {
    const config = { hafdbs: true, hdbss: true };
    const m = createTestMachine({ blocks: 1, vcpus: 1, ...config });
    const log = createDirtyLog(m.arena);
    log.setState(LOGGING.on);
    const ringOptions = { vcpu: 0, spins: 0, bug: null };
    const ring = createVcpuRing(m.arena, log, createRecorder(m.arena, 1), ringOptions);
    const cpu = { ...DEFAULT_CPU, ...config };
    const b = benchOf({ storesPercent, cpu, ring }, config, m);
    const { layout, i32 } = m.arena;
    const all = Array.from({ length: layout.pages }, (_, page) => page);
    for (const page of all) m.poke(page, 3, m.peek(page, 3) & ~S2AP_W);
    b.vcpu.runAccesses(ACCESSES / 4);
    ring.put();
    const words = Array.from({ length: log.words }, (_, word) => log.take(word));
    const logged = all.filter((page) => (((words[page >> 5] as number) >>> (page & 31)) & 1) === 1);
    const stored = all.filter((page) => i32[guestWordOf(layout, 0) + page * layout.guestStrideW]);
    expect(logged).toEqual(stored);
    // A ring full is the one exit there is.
    const full = i32[layout.outsideW + TRANSITION.genuine] as number;
    expect(full).toBe(Math.floor((stored.length - 1) / RING_ENTRIES));
    expect(full > 0).toBe(storesPercent > 1);
    expect([b.count('completed'), b.m.evidence()]).toEqual([ACCESSES / 4, []]);
  },
);

test('a vCPU in the guest that is asked for its ring leaves, flushes, and goes on', () => {
  const m = createTestMachine({ blocks: 1, vcpus: 1, hafdbs: true, hdbss: true });
  const log = createDirtyLog(m.arena);
  log.setState(LOGGING.on);
  for (let page = 0; page < 512; page++) m.poke(page, 3, m.peek(page, 3) & ~S2AP_W);
  const sync = createRingSync(m.arena, createIssuer(m.arena, { bug: null, spins: 0, own: null }));
  const real = createRecorder(m.arena, 1);
  const seen: number[] = [];
  const recorder: Recorder = {
    ...real,
    event(code, a, b, c) {
      // In the midst of the tenth store's walk.
      if (code === EVENT.updated && seen.filter((each) => each === code).length === 9) sync.kick();
      seen.push(code);
      real.event(code, a, b, c);
    },
  };
  const options = { vcpu: 0, spins: 0, bug: null };
  const ring = createVcpuRing(m.arena, log, recorder, options);
  const cpu = { ...DEFAULT_CPU, hafdbs: true, hdbss: true };
  const b = benchOf({ storesPercent: 100, pattern: 'sweep', cpu, ring }, {}, m, recorder);
  b.vcpu.runAccesses(20);
  const { enter, leave, updated, ringFlushed } = EVENT;
  const telling = new Set<number>([enter, leave, updated, ringFlushed]);
  const told = seen.filter((code) => telling.has(code));
  const stores = Array.from({ length: 10 }, () => updated);
  expect(told).toEqual([enter, ...stores, leave, ringFlushed, enter, ...stores, leave]);
  expect([log.take(0).toString(2), b.count('completed')]).toEqual(['1'.repeat(10), 20]);
});

test.each(PATTERNS)('speculation walks for pages that nobody asked for, pattern %s', (pattern) => {
  const walks = (spec: boolean): number => {
    const cpu = { ...DEFAULT_CPU, tlb: 512, spec };
    const b = benchOf({ storesPercent: 0, pattern, cpu });
    b.vcpu.runAccesses(64);
    expect(b.count('completed')).toBe(64);
    expect(b.m.evidence()).toEqual([]);
    return b.count('walks');
  };
  expect(walks(true)).toBeGreaterThan(walks(false));
});

test('stores reach memory, loads alone do not change it', () => {
  const stored = (storesPercent: number): number => {
    const b = benchOf({ storesPercent });
    b.vcpu.runAccesses(ACCESSES);
    const { layout, i32 } = b.m.arena;
    const words = Array.from(
      { length: layout.pages },
      (_, page) => i32[guestWordOf(layout, 0) + page * layout.guestStrideW],
    );
    return words.filter((w) => w !== 0).length;
  };
  expect([stored(0), stored(100)]).toEqual([0, 512]);
});

test('a hole is faulted in once, and counted as genuine at its transition', () => {
  const b = benchOf();
  const { u8, i32, layout } = b.m.arena;
  for (const page of [3, 4]) {
    b.m.poke(page, 3, EMPTY);
    u8[layout.mappedB + page] = 0;
  }
  // The transition from version 0 is running and has record 3.
  b.m.setGhost(0, ghostWord(0, GHOST_CHANGING));
  i32[layout.ghostW + GHOST.slot] = 3;
  const record = layout.transitionW + 3 * TRANSITION.words;
  i32[record + TRANSITION.measured] = 1;
  b.vcpu.runAccesses(ACCESSES);
  expect([i32[record + TRANSITION.genuine], i32[record + TRANSITION.spurious]]).toEqual([2, 0]);
  expect([b.faults('genuine'), b.count('completed')]).toEqual([2, ACCESSES]);
  expect(b.m.evidence()).toEqual([]);
});

test('a fault while no transition runs is counted at none', () => {
  const b = benchOf();
  const { u8, i32, layout } = b.m.arena;
  b.m.poke(3, 3, EMPTY);
  u8[layout.mappedB + 3] = 0;
  i32[layout.transitionW + TRANSITION.measured] = 1;
  b.vcpu.runAccesses(ACCESSES);
  expect(i32[layout.outsideW + TRANSITION.genuine]).toBe(1);
  expect(i32[layout.transitionW + TRANSITION.genuine]).toBe(0);
  expect([b.faults('genuine'), b.count('completed')]).toEqual([1, ACCESSES]);
});

describe('is written down', () => {
  test('another value than the one last stored, in a load and at the end', () => {
    const b = benchOf({ storesPercent: 100 });
    b.vcpu.runAccesses(ACCESSES);
    const { layout, i32 } = b.m.arena;
    const at = guestWordOf(layout, 0) + 9 * layout.guestStrideW;
    i32[at] = (i32[at] as number) + 1_000_000;
    b.vcpu.compareMemory();
    expect(b.m.evidence()).toMatchObject([
      { kind: 'value', when: 'end', ipa: layout.ipaBase + 9 * 4096 },
    ]);
    const loads = benchOf({ storesPercent: 0 });
    loads.m.arena.i32[at] = 7;
    loads.vcpu.runAccesses(ACCESSES);
    expect(loads.m.evidence()).toMatchObject([
      { kind: 'value', when: 'load', found: 7, expected: 0 },
    ]);
  });

  test('a page that leads elsewhere: the wrong address, and what was lost by it', () => {
    const b = benchOf();
    const { geometry: g, layout } = b.m.arena;
    b.m.poke(9, 3, makeLeaf(g, 3, layout.guestPaBase + 8 * 4096));
    b.vcpu.runAccesses(ACCESSES);
    const kinds = new Set(b.m.evidence().map((e) => e.kind));
    expect(kinds).toEqual(new Set(['address', 'value']));
  });

  test('an access that is dropped after a fault (seeded bug): issued and not completed', () => {
    const b = benchOf({ bug: 'drop-after-fault' });
    b.m.poke(9, 3, EMPTY);
    b.vcpu.runAccesses(ACCESSES);
    expect(b.count('issued') - b.count('completed')).toBe(1);
  });
});
