/** A stage-2 abort on the vCPU's own thread: what it finds, what it repairs, and its locks. */
import { describe, expect, test } from 'vitest';
import { RwLock } from '#sync';
import { AF, DBM, EMPTY, LOCKED, NT, S2AP_W, softwareBits } from '../../src/arch/descriptor.ts';
import { createFaultHandler, descriptorOf, HANDLED } from '../../src/machine/vcpu/fault-exit.ts';
import { createDirtyLog } from '../../src/machine/dirty/dirty-log.ts';
import { GHOST_STABLE, ghostWord } from '../../src/machine/ghost.ts';
import { CONTROL, GHOST, LOGGING } from '../../src/machine/layout.ts';
import { createRecorder } from '../../src/machine/recorder.ts';
import { createIssuer } from '../../src/machine/tlb/shootdown.ts';
import { createSoftwareCpu } from '../../src/machine/hypervisor/software-cpu.ts';
import { decodeEvidence } from '../../src/stress/results/decode.ts';
import { createSoftwareSide } from '../../src/stress/regions/software-side.ts';
import { createTestMachine, type TestMachine } from './machine.ts';

const PAGE = 37;

function handlerOf(m: TestMachine, shared: boolean, partial = false) {
  const software = createSoftwareSide(m.arena, 1);
  const issuer = createIssuer(m.arena, { bug: null, spins: 0, own: null });
  const cpu = createSoftwareCpu(m.arena, issuer);
  const recorder = createRecorder(m.arena, 1);
  const options = { vcpu: 0, spins: 0, partial, isShared: () => shared, recorder };
  return createFaultHandler(m.arena, cpu, software.tables, software.grace, options);
}
const lockOf = (m: TestMachine) => RwLock.attach(m.arena.i32, CONTROL.mmuLock);

describe.each([
  ['exclusive', false],
  ['shared', true],
])('%s lock', (_name, shared) => {
  test('a page that is mapped by now is a spurious fault: nothing is stored', () => {
    const m = createTestMachine();
    const before = m.arena.descriptors.slice();
    expect(handlerOf(m, shared).handle(PAGE, true, 3, false)).toBe(HANDLED.spurious);
    m.makeBlock();
    const block = m.arena.descriptors.slice();
    expect(handlerOf(m, shared).handle(PAGE, true, 2, false)).toBe(HANDLED.spurious);
    expect(m.arena.descriptors).toEqual(block);
    m.poke(PAGE, 2, before[m.entryOf(PAGE, 2)] ?? 0n);
    expect(m.arena.descriptors).toEqual(before);
  });

  test('a hole in a table is filled with the page of this version', () => {
    const m = createTestMachine();
    const wanted = m.peek(PAGE, 3);
    m.poke(PAGE, 3, EMPTY);
    expect(handlerOf(m, shared).handle(PAGE, true, 3, false)).toBe(HANDLED.mapped);
    expect(m.peek(PAGE, 3)).toBe(wanted);
  });

  test('a load from a read-only page is a spurious fault', () => {
    const m = createTestMachine();
    m.poke(PAGE, 3, m.peek(PAGE, 3) & ~S2AP_W);
    expect(handlerOf(m, shared).handle(PAGE, false, 3, false)).toBe(HANDLED.spurious);
  });

  test.each([
    ['page', 3],
    ['block', 2],
  ] as const)('a store to a read-only %s: a permission fault relaxes it', (_what, level) => {
    const m = createTestMachine();
    if (level === 2) m.makeBlock();
    const wanted = m.peek(PAGE, level);
    const readOnly = wanted & ~S2AP_W;
    m.poke(PAGE, level, readOnly);
    const handler = handlerOf(m, shared);
    // As a translation fault it would be mapped, which changes no permission: the vCPU would come
    // back for ever.
    expect(handler.handle(PAGE, true, level, false)).toBe(HANDLED.again);
    expect(m.peek(PAGE, level)).toBe(readOnly);
    expect(handler.handle(PAGE, true, level, true)).toBe(HANDLED.relaxed);
    expect(m.peek(PAGE, level)).toBe(wanted);
    expect(handler.handle(PAGE, true, level, true)).toBe(HANDLED.spurious);
    expect(m.peek(PAGE, level)).toBe(wanted);
  });

  test('leaves the lock free, and leaves without it when the run is stopped', () => {
    const m = createTestMachine();
    const lock = lockOf(m);
    handlerOf(m, shared).handle(PAGE, true, 3, false);
    expect(RwLock.writeLock(lock, 0, 0)).toBe('acquired');
    Atomics.store(m.arena.i32, CONTROL.stop, 1);
    expect(handlerOf(m, shared).handle(PAGE, true, 3, false)).toBe(HANDLED.stopped);
    RwLock.writeUnlock(lock);
  });
});

test.each([
  ['locked', () => LOCKED],
  ['an nT block', (block: bigint) => block | NT],
])('beside a protocol at work an entry that is %s is left alone: again', (_name, change) => {
  const m = createTestMachine();
  const d = change(m.makeBlock());
  m.poke(PAGE, 2, d);
  expect(handlerOf(m, true).handle(PAGE, true, 2, false)).toBe(HANDLED.again);
  expect(m.peek(PAGE, 2)).toBe(d);
});

describe('a table page that was freed under a walk of software', () => {
  const freedSeen = (m: TestMachine) =>
    decodeEvidence(m.arena).recorded.flatMap(({ evidence }) =>
      evidence.kind === 'freed' ? [evidence] : [],
    );

  test('and is poisoned is seen, and the fault comes again', () => {
    const m = createTestMachine();
    const { pool, tables } = createSoftwareSide(m.arena, 0);
    const table = tables.follow(m.peek(PAGE, 2));
    pool.setCount(table, 1);
    tables.freeNow(table);
    expect(handlerOf(m, true).handle(PAGE, true, 3, false)).toBe(HANDLED.again);
    const where = { reader: 'software', vcpu: 0, table, poisoned: true } as const;
    expect(freedSeen(m)).toMatchObject([where]);
  });

  test('and is in use again is seen by its generation', () => {
    const m = createTestMachine();
    const { pool, tables } = createSoftwareSide(m.arena, 0);
    const table = tables.follow(m.peek(PAGE, 2));
    const contents = m.arena.descriptors.slice(
      table * tables.entries,
      (table + 1) * tables.entries,
    );
    pool.setCount(table, 1);
    tables.freeNow(table);
    expect(tables.allocate(3), 'the last one freed is the first one taken').toBe(table);
    m.arena.descriptors.set(contents, table * tables.entries);
    expect(handlerOf(m, true).handle(PAGE, true, 3, false)).toBe(HANDLED.again);
    expect(freedSeen(m)).toMatchObject([{ reader: 'software', table, poisoned: false }]);
  });

  test('is not seen where nothing was freed', () => {
    const m = createTestMachine();
    handlerOf(m, true).handle(PAGE, true, 3, false);
    m.poke(PAGE, 3, EMPTY);
    handlerOf(m, true).handle(PAGE, true, 3, false);
    expect(freedSeen(m)).toEqual([]);
  });
});

describe('where hardware sets access flag and dirty state', () => {
  test.each<[string, bigint]>([
    ['clean', S2AP_W],
    ['not accessed', AF],
    ['neither', AF | S2AP_W],
  ])('a store to a page that is %s is a spurious fault: the walk will set it', (_name, bits) => {
    for (const shared of [false, true]) {
      const m = createTestMachine({ hafdbs: true });
      const d = m.peek(PAGE, 3) & ~bits;
      m.poke(PAGE, 3, d);
      expect(handlerOf(m, shared).handle(PAGE, true, 3, false)).toBe(HANDLED.spurious);
      expect(m.peek(PAGE, 3)).toBe(d);
    }
  });

  test('what is write-protected is relaxed, by an exchange', () => {
    const m = createTestMachine({ hafdbs: true });
    m.poke(PAGE, 3, m.peek(PAGE, 3) & ~(S2AP_W | DBM));
    expect(handlerOf(m, false).handle(PAGE, true, 3, true)).toBe(HANDLED.relaxed);
    expect(m.peek(PAGE, 3) & S2AP_W).toBe(S2AP_W);
  });
});

test('flags say what was mapped, where there are holes, and follow a repair', () => {
  const m = createTestMachine();
  const { u8, layout } = m.arena;
  u8[layout.mappedB + PAGE] = 0;
  m.poke(PAGE, 3, EMPTY);
  const handler = handlerOf(m, false, true);
  expect([handler.wasMapped(PAGE), handler.wasMapped(PAGE + 1)]).toEqual([false, true]);
  expect(handlerOf(m, false).wasMapped(PAGE), 'without holes everything was').toBe(true);
  handler.handle(PAGE, true, 3, false);
  expect(handler.wasMapped(PAGE)).toBe(true);
});

describe('while dirty logging is on', () => {
  const bitsOf = (m: TestMachine): number[] => {
    const { i32, layout } = m.arena;
    const isSet = (page: number): boolean =>
      (((i32[layout.dirtyW + (page >> 5)] as number) >>> (page & 31)) & 1) === 1;
    return Array.from({ length: layout.pages }, (_, page) => page).filter(isSet);
  };

  function logged(
    shared = false,
    hafdbs = false,
    hdbss = false,
  ): { m: TestMachine; handle: ReturnType<typeof handlerOf> } {
    const m = createTestMachine({ hafdbs, hdbss });
    m.arena.i32[CONTROL.logging] = LOGGING.on;
    const software = createSoftwareSide(m.arena, 1);
    const issuer = createIssuer(m.arena, { bug: null, spins: 0, own: null });
    const cpu = createSoftwareCpu(m.arena, issuer);
    const options = { vcpu: 0, spins: 0, partial: true, isShared: () => shared };
    const handle = createFaultHandler(m.arena, cpu, software.tables, software.grace, {
      ...options,
      dirtyLog: createDirtyLog(m.arena),
    });
    return { m, handle };
  }

  test.each([
    ['load', false, 0n],
    ['store', true, S2AP_W],
  ])('the page a %s maps is clean or dirty as hardware would have it', (_name, isStore, state) => {
    const { m, handle } = logged(false, true);
    m.poke(PAGE, 3, EMPTY);
    expect(handle.handle(PAGE, isStore, 3, false)).toBe(HANDLED.mapped);
    expect(m.peek(PAGE, 3) & (DBM | S2AP_W)).toBe(DBM | state);
    expect(bitsOf(m)).toEqual(isStore ? [PAGE] : []);
  });

  test.each([
    ['load', false, 0n],
    ['store', true, DBM | S2AP_W],
  ])(
    'with a dirty ring the page a %s maps has DBM if the fault has marked it',
    (_n, isStore, bits) => {
      const { m, handle } = logged(false, true, true);
      m.poke(PAGE, 3, EMPTY);
      expect(handle.handle(PAGE, isStore, 3, false)).toBe(HANDLED.mapped);
      expect(m.peek(PAGE, 3) & (DBM | S2AP_W)).toBe(bits);
      expect(bitsOf(m)).toEqual(isStore ? [PAGE] : []);
    },
  );

  test.each([
    [true, DBM],
    [false, 0n],
  ])(
    'a store to a write-protected page, ring %s: writable, marked, and DBM for a ring',
    (ring, dbm) => {
      const { m, handle } = logged(false, true, ring);
      const before = m.peek(PAGE, 3) & ~(S2AP_W | DBM);
      m.poke(PAGE, 3, before);
      expect(handle.handle(PAGE, true, 3, true)).toBe(HANDLED.relaxed);
      expect(m.peek(PAGE, 3)).toBe(before | S2AP_W | dbm);
      expect(bitsOf(m)).toEqual([PAGE]);
    },
  );

  test('with a ring and logging that is ending DBM is as without one', () => {
    const { m, handle } = logged(false, true, true);
    m.arena.i32[CONTROL.logging] = LOGGING.ending;
    const wanted = m.peek(PAGE, 3);
    m.poke(PAGE, 3, EMPTY);
    expect(handle.handle(PAGE, false, 3, false)).toBe(HANDLED.mapped);
    expect([m.peek(PAGE, 3), bitsOf(m)]).toEqual([wanted, []]);
  });

  test('a store to a write-protected page makes it writable and marks it', () => {
    const { m, handle } = logged();
    const before = m.ghost(PAGE);
    m.poke(PAGE, 3, m.peek(PAGE, 3) & ~S2AP_W);
    expect(handle.handle(PAGE, true, 3, true)).toBe(HANDLED.relaxed);
    expect(bitsOf(m)).toEqual([PAGE]);
    expect(m.ghost(PAGE), 'the same version of the mapping').toBe(before);
  });

  test('a store to a write-protected block splits it: the next version, one page, the rest holes', () => {
    const { m, handle } = logged();
    const block = m.makeBlock();
    m.poke(PAGE, 2, block & ~S2AP_W);
    const { u8, layout } = m.arena;
    const { region, version } = { region: m.regions.all[0], version: m.ghost(PAGE) >> 2 };
    expect(handle.handle(PAGE, true, 2, true)).toBe(HANDLED.split);
    expect(m.ghost(PAGE)).toBe(ghostWord(version + 1, GHOST_STABLE));
    expect(softwareBits(m.peek(PAGE, 3))).toBe((version + 1) & 15);
    expect([m.peek(PAGE + 1, 3), bitsOf(m)]).toEqual([EMPTY, [PAGE]]);
    const flags = Array.from({ length: 512 }, (_, page) => u8[layout.mappedB + page]);
    expect(flags.flatMap((flag, page) => (flag === 1 ? [page] : []))).toEqual([PAGE]);
    expect(region?.entry).toBe(m.entryOf(PAGE, 2));
    // Whoever faults in the meantime does so at no protocol's transition.
    const slotW = region ? region.ghostW + GHOST.slot + (version & (GHOST.slots - 1)) : -1;
    expect(m.arena.i32[slotW]).toBe(layout.outsideSlot);
  });

  test('a load from a page that is not there maps it write-protected and marks nothing', () => {
    const { m, handle } = logged();
    const wanted = m.peek(PAGE, 3);
    m.poke(PAGE, 3, EMPTY);
    expect(handle.handle(PAGE, false, 3, false)).toBe(HANDLED.mapped);
    expect([m.peek(PAGE, 3), bitsOf(m)]).toEqual([wanted & ~S2AP_W, []]);
  });

  test('logging that is ending marks nothing and splits nothing', () => {
    const { m, handle } = logged();
    m.arena.i32[CONTROL.logging] = LOGGING.ending;
    const block = m.makeBlock();
    m.poke(PAGE, 2, block & ~S2AP_W);
    expect(handle.handle(PAGE, true, 2, true)).toBe(HANDLED.relaxed);
    expect([m.peek(PAGE, 2), bitsOf(m)]).toEqual([block, []]);
  });
});

test('a descriptor from its halves', () => {
  expect(descriptorOf(0x9abc_def0 | 0, 0x8234_5678 | 0)).toBe(0x8234_5678_9abc_def0n);
});
