/** The port with instruments: what it measures, when it tells the ghost, and what it lets be seen. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DBM, isTable, NT, S2AP_W, VALID } from '../../src/arch/descriptor.ts';
import { judgeTrace } from '../../src/checker/index.ts';
import { GHOST_CHANGING, GHOST_SETTLED, ghostWord } from '../../src/machine/ghost.ts';
import { CONTROL, NEIGHBOUR_VMID, TLBI_LOG, TRANSITION, VMID } from '../../src/machine/layout.ts';
import { createRecorder } from '../../src/machine/recorder.ts';
import { createIssuer } from '../../src/machine/tlb/shootdown.ts';
import { createTraceLog, type TraceLog } from '../../src/machine/hypervisor/trace-log.ts';
import { traceAddresses } from '../../src/machine/hypervisor/trace-words.ts';
import { createTransitionCpu } from '../../src/machine/hypervisor/transition-cpu.ts';
import {
  defineProtocol,
  flushVmid,
  HOST_VMID,
  type MachineBug,
  type Protocol,
} from '../../src/port/index.ts';
import { createTransitionRunner } from '../../src/stress/changes/transition-runner.ts';
import splitLocked from '../stress/fixtures/beside/split-locked.ts';
import { createTestMachine, type TestMachine } from './machine.ts';

interface Bench {
  readonly m: TestMachine;
  readonly log: TraceLog;
  /** Runs it on region 0, whatever state that is in; the figures of its record. */
  run(protocol: Protocol['run'], over?: Partial<Protocol>): Record<keyof typeof TRANSITION, number>;
  /** What the entry holds in memory, seen past the port. */
  entry(): bigint;
}

function benchOf(
  options: { bug?: MachineBug; reorderSeed?: number; vmidBits?: 8 | 16 } = {},
): Bench {
  const m = createTestMachine({ blocks: 1 });
  const { arena, regions, software } = m;
  const { layout, i32 } = arena;
  const region = regions.all[0] as (typeof regions.all)[number];
  const recorder = createRecorder(arena, 0);
  const { bug = null, reorderSeed = null } = options;
  const port = createTransitionCpu(
    arena,
    createIssuer(arena, { bug: null, spins: 0, own: null }),
    software.tables,
    recorder,
    { bug, freedCount: () => software.freedCount(), reorderSeed, delays: [], delaySeed: 1 },
  );
  const bits = (): 8 | 16 => options.vmidBits ?? 16;
  const runner = createTransitionRunner(arena, regions, software, port, recorder, () => 1, 0, bits);
  const log = createTraceLog(traceAddresses(layout));
  return {
    m,
    log,
    entry: () => Atomics.load(arena.descriptors, region.entry),
    run(body, over = {}) {
      const name = 'mine';
      const words = { kind: 'coalesce', summary: '', origin: '', claims: {} } as const;
      runner.run(defineProtocol({ name, ...words, ...over, run: body }), region, 2, true, log);
      const at = layout.transitionW + 2 * TRANSITION.words;
      const figures = Object.entries(TRANSITION).map(([k, w]) => [k, i32[at + w]]);
      return Object.fromEntries(figures) as Record<keyof typeof TRANSITION, number>;
    },
  };
}

afterEach(() => vi.restoreAllMocks());

test('the ghost settles at the DSB that completes the flush, not before', () => {
  const b = benchOf();
  const states: number[] = [];
  b.run((cpu, t) => {
    const note = (): void => void states.push(b.m.ghost(0));
    cpu.write(t.entry, t.old & ~VALID);
    note();
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'vmalls12e1is' });
    note();
    cpu.dsb('ish');
    note();
    cpu.writeRelease(t.entry, t.wanted);
    note();
  });
  const [changing, settled] = [ghostWord(0, GHOST_CHANGING), ghostWord(0, GHOST_SETTLED)];
  expect(states).toEqual([changing, changing, settled, settled]);
  expect(b.m.ghost(0)).toBe(ghostWord(1, 0));
});

describe('the context', () => {
  const HOST: Partial<Protocol> = { context: 'nvhe-host' };
  /** What the log of TLBIs has got: the VMID of each. */
  function issued({ m }: Bench): number[] {
    const { i32, layout } = m.arena;
    const count = Atomics.load(i32, CONTROL.tlbiGeneration);
    const at = (g: number): number =>
      layout.tlbiLogW + (g % TLBI_LOG.records) * TLBI_LOG.recordWords;
    return Array.from({ length: count }, (_, i) => i32[at(i + 1) + 1] as number);
  }

  test('a TLBI before the ISB acts on what stood in VTTBR_EL2 before, one behind it on the VM', () => {
    const b = benchOf();
    const states: number[] = [];
    b.run((cpu, t) => {
      cpu.write(t.entry, t.old & ~VALID);
      cpu.dsb('ish');
      cpu.writeVttbr(t.vmid, 'guest');
      flushVmid(cpu);
      states.push(b.m.ghost(0));
      flushVmid(cpu);
      states.push(b.m.ghost(0));
      cpu.writeVttbr(HOST_VMID, 'host');
      cpu.writeRelease(t.entry, t.wanted);
    }, HOST);
    expect(issued(b)).toEqual([HOST_VMID, VMID]);
    expect(states).toEqual([ghostWord(0, GHOST_CHANGING), ghostWord(0, GHOST_SETTLED)]);
    const [seen] = b.log.seen;
    expect(seen?.trace.events.flatMap((e) => ('tlbi' in e ? [e.tlbi.vmid] : []))).toEqual([
      HOST_VMID,
      undefined,
    ]);
    expect(seen?.trace.events).toContainEqual({ op: 'vttbr', vmid: 1, table: 'guest' });
  });

  test('with TGE set the flush of stage 1 reaches no vCPU, and the trace says so', () => {
    const b = benchOf();
    b.run(
      (cpu, t) => {
        cpu.write(t.entry, t.old & ~VALID);
        cpu.writeVttbr(t.vmid, 'guest');
        cpu.isb();
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.writeTge(false);
        cpu.isb();
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.writeRelease(t.entry, t.wanted);
      },
      { context: 'vhe-host' },
    );
    expect(issued(b)).toEqual([VMID]);
    const [seen] = b.log.seen;
    const tlbis = seen?.trace.events.flatMap((e) => ('tlbi' in e ? [e.tlbi] : []));
    expect(tlbis).toEqual([{ kind: 'vmalle1is', regime: 'el2&0' }, { kind: 'vmalle1is' }]);
    expect(seen?.trace.events).toContainEqual({ op: 'tge', on: false });
  });

  test("a VMID that 8 bits make the second VM's takes that one's entries, too", () => {
    const flush: Protocol['run'] = (cpu, t) => {
      cpu.write(t.entry, t.old & ~VALID);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted);
    };
    const vmid = 0x100 + NEIGHBOUR_VMID;
    const [narrow, wide] = [benchOf({ vmidBits: 8 }), benchOf()];
    narrow.run(flush, { vmid });
    wide.run(flush, { vmid });
    expect([issued(narrow), issued(wide)]).toEqual([[NEIGHBOUR_VMID, VMID], [VMID]]);
    expect(narrow.log.seen[0]?.trace.vmid).toBe(NEIGHBOUR_VMID);
  });
});

describe('figures', () => {
  test('of break-before-make: a window, stores and TLBIs', () => {
    const f = benchOf().run((cpu, t) => {
      cpu.write(t.entry, t.old & ~VALID);
      cpu.write(t.entry, 0n);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted);
    });
    expect([f.measured, f.writes, f.tlbis]).toEqual([1, 3, 1]);
    expect(f.windowNs).toBeGreaterThanOrEqual(0);
    expect([f.ntWindowNs, f.flushNs]).toEqual([-1, -1]);
  });

  test('of an nT sequence: an nT window and no other', () => {
    const f = benchOf().run((cpu, t) => {
      cpu.write(t.entry, t.wanted | NT);
      flushVmid(cpu);
      cpu.write(t.entry, t.wanted);
    });
    expect(f.ntWindowNs).toBeGreaterThanOrEqual(0);
    expect(f.windowNs).toBe(-1);
  });

  test('windows are the time between the stores, on a clock that moves 1 µs when read', () => {
    let us = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => us++ / 1e3);
    const f = benchOf().run((cpu, t) => {
      cpu.write(t.entry, t.old & ~VALID);
      us += 50;
      cpu.writeRelease(t.entry, t.wanted | NT);
      us += 700;
      cpu.write(t.entry, t.wanted);
    });
    expect(f.windowNs).toBe(51_000);
    expect(f.ntWindowNs).toBe(701_000);
  });

  test('every eighth transition times the flush instead of its windows', () => {
    const b = benchOf();
    const figures = Array.from({ length: 9 }, () =>
      b.run((cpu, t) => {
        cpu.write(t.entry, 0n);
        flushVmid(cpu);
        cpu.write(t.entry, t.old);
      }),
    );
    const timed = figures.map((f) => f.flushNs >= 0);
    expect(timed).toEqual([...Array<boolean>(7).fill(false), true, false]);
    expect(figures.slice(1).map((f) => f.flushNs >= 0 !== f.windowNs >= 0)).not.toContain(false);
  });
});

test('a compare-exchange that fails is a read, and stores and begins nothing', () => {
  const b = benchOf();
  const before = b.entry();
  let expected = 0n;
  const f = b.run((cpu, t) => {
    expected = t.wanted;
    expect(cpu.compareExchange(t.entry, t.wanted, 0n)).toBe(t.old);
    expect(b.entry()).toBe(t.old);
    expect(cpu.compareExchange(t.entry, t.old, t.wanted)).toBe(t.old);
  });
  const block = b.entry();
  expect(b.log.seen[0]?.trace.events).toEqual([
    { op: 'read', entry: 'target', value: before, table: null, expected },
    { op: 'write', order: 'cas', entry: 'target', value: block, links: null, place: null },
  ]);
  expect([f.writes, f.windowNs]).toEqual([1, -1]);
});

test('who gives way to a walker under the lock for reading comes back, and is not accused', () => {
  const b = benchOf();
  b.m.poke(0, 2, (b.m.makeBlock() & ~S2AP_W) | DBM);
  let isFirst = true;
  const run: Protocol['run'] = (cpu, t, tables) => {
    // As a walker's update behind a store, between the load of the entry and the compare-exchange.
    if (isFirst) b.m.poke(0, 2, t.old | S2AP_W);
    isFirst = false;
    splitLocked.run(cpu, t, tables);
  };
  b.run(run, { kind: 'split', lock: 'shared' });
  expect(isTable(b.entry(), 2)).toBe(true);
  const judged = (hafdbs: boolean): readonly (readonly string[])[] =>
    b.log.seen.map(({ trace }) =>
      judgeTrace(trace, 1, false, hafdbs).violations.map(({ code }) => code),
    );
  expect(judged(true)).toEqual([[], []]);
  // Without such walkers nobody has taken the entry from it.
  expect(judged(false)).toEqual([['ends-elsewhere'], []]);
});

test.each([
  [undefined, [64]],
  ['split-halves', [32, 32]],
] as const)('a store with bug %s is made of pieces of %j bits', (bug, pieces) => {
  const b = benchOf(bug === undefined ? {} : { bug });
  const made: number[] = [];
  b.run((cpu, t) => {
    const { store } = Atomics;
    vi.spyOn(Atomics, 'store').mockImplementation(((words: never, at: number, v: never) => {
      made.push((words as Int32Array).BYTES_PER_ELEMENT * 8);
      return store(words, at, v);
    }) as unknown as typeof Atomics.store);
    cpu.write(t.entry, t.wanted);
    vi.restoreAllMocks();
    expect(b.entry()).toBe(t.wanted);
  });
  expect(made).toEqual(pieces);
});

describe('with a store buffer', () => {
  const SEEDS = Array.from({ length: 60 }, (_, i) => 1 + i * 7919);

  test('plain stores may be late, the thread sees them, and a DSB makes them visible', () => {
    const late = SEEDS.map((reorderSeed) => {
      const b = benchOf({ reorderSeed });
      let visible = false;
      b.run((cpu, t) => {
        cpu.write(t.entry, t.wanted);
        visible = b.entry() === t.wanted;
        expect(cpu.read(t.entry)).toBe(t.wanted);
        cpu.isb();
        cpu.dsb('ishst');
        expect(b.entry()).toBe(t.wanted);
      });
      return !visible;
    });
    expect(late).toContain(true);
  });

  test('a Non-shareable DSB makes them visible to nobody else', () => {
    const late = SEEDS.map((reorderSeed) => {
      const b = benchOf({ reorderSeed });
      let visible = false;
      b.run((cpu, t) => {
        cpu.write(t.entry, t.wanted);
        cpu.dsb('nshst');
        visible = b.entry() === t.wanted;
      });
      return !visible;
    });
    expect(late).toContain(true);
  });

  test('a TLBI is published by DSB ISH at the latest, not by DSB ISHST', () => {
    const published = SEEDS.map((reorderSeed) => {
      const b = benchOf({ reorderSeed });
      const generation = (): number => b.m.arena.i32[CONTROL.tlbiGeneration] as number;
      let between = 0;
      b.run((cpu) => {
        const before = generation();
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ishst');
        between = generation() - before;
        cpu.dsb('ish');
        expect(generation() - before).toBe(1);
      });
      return between;
    });
    expect(published).toContain(0);
  });

  test('a compare-exchange and the unlock make them visible too', () => {
    for (const reorderSeed of SEEDS) {
      const b = benchOf({ reorderSeed });
      let wanted = 0n;
      b.run((cpu, t) => {
        cpu.write(t.entry, 0n);
        expect(cpu.compareExchange(t.entry, 0n, t.old)).toBe(0n);
        ({ wanted } = t);
        cpu.write(t.entry, t.wanted);
      });
      expect(b.entry()).toBe(wanted);
    }
  });

  test('a TLBI before the store is visible does not settle the transition', () => {
    const settled = SEEDS.map((reorderSeed) => {
      const b = benchOf({ reorderSeed });
      let state = 0;
      b.run((cpu, t) => {
        cpu.write(t.entry, 0n);
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        state = b.m.ghost(0) & 3;
        cpu.write(t.entry, t.wanted);
      });
      return state === GHOST_SETTLED;
    });
    // Without a DSB before the TLBI: sometimes in time, mostly not.
    expect(new Set(settled)).toEqual(new Set([true, false]));
  });
});

test('a store to a child entry says where it lies, what it replaced, and what it links', () => {
  const b = benchOf();
  let before = 0n;
  b.run((cpu, t, tables) => {
    const child = tables.entryOf(tables.follow(t.old), 3);
    before = cpu.read(child);
    cpu.write(child, 0n);
    cpu.compareExchange(child, 0n, before);
    cpu.compareExchange(child, 0n, before);
    cpu.write(t.entry, t.old);
    tables.cleanDcache(t.pa + 4096, 8192);
    tables.tearDownBelow(tables.follow(t.old), 3);
  });
  const events = b.log.seen[0]?.trace.events ?? [];
  const place = { table: 'old', index: 3 };
  expect(events).toMatchObject([
    { op: 'read', table: 'old', value: before },
    { op: 'write', order: 'plain', value: 0n, links: null, place: { ...place, before } },
    { op: 'write', order: 'cas', value: before, place: { ...place, before: 0n } },
    { op: 'read', table: 'old', value: before },
    { op: 'write', entry: 'target', links: 'old', place: null },
    { op: 'cmo', pa: (b.log.seen[0]?.trace.pa ?? 0) + 4096, size: 8192 },
    { op: 'free', table: 'old', part: 'below', level: 3 },
  ]);
});

test('what a protocol passes is checked, and nothing of it is done', () => {
  const b = benchOf();
  const before = b.entry();
  expect(() => b.run((cpu, t) => cpu.write(t.entry, 0 as never))).toThrow(
    /^protocol mine threw: write: 0 is no descriptor.*transition-cpu\.test\.ts:\d+:\d+\)$/,
  );
  expect(b.entry()).toBe(before);
});

test('a protocol that returns a promise is refused, and so is what it does later', async () => {
  const b = benchOf();
  let later: Promise<unknown> = Promise.resolve();
  b.run((cpu, t) => {
    later = Promise.resolve().then(() => cpu.read(t.entry));
  });
  await expect(later).rejects.toThrow('read after run() had returned');
  const returning = (() => Promise.resolve()) as unknown as Protocol['run'];
  expect(() => b.run(returning)).toThrow(/^protocol mine threw: run\(\) returned a promise/);
});

test('a transition is the same to the end, whatever a protocol does to it', () => {
  const b = benchOf();
  const forges: Protocol['run'] = (_cpu, t) => {
    (t as { wanted: bigint }).wanted = 0n;
  };
  expect(() => b.run(forges)).toThrow(/^protocol mine threw: Cannot assign to read only property/);
});
