/** A stage-2 abort on the vCPU's own thread: what it finds, what it repairs, and its locks. */
import { describe, expect, test } from 'vitest';
import { RwLock } from '#sync';
import { EMPTY, LOCKED, NT, S2AP_W } from '../../src/arch/descriptor.ts';
import { createFaultHandler, descriptorOf, HANDLED } from '../../src/machine/fault-exit.ts';
import { CONTROL } from '../../src/machine/layout.ts';
import { createIssuer } from '../../src/machine/shootdown.ts';
import { createSoftwareCpu } from '../../src/machine/software-cpu.ts';
import { createSoftwareSide } from '../../src/stress/software-side.ts';
import { createTestMachine, type TestMachine } from './machine.ts';

const PAGE = 37;

function handlerOf(m: TestMachine, shared: boolean, partial = false) {
  const software = createSoftwareSide(m.arena, 1);
  const issuer = createIssuer(m.arena, { bug: null, spins: 0, own: null });
  const cpu = createSoftwareCpu(m.arena, issuer);
  const options = { vcpu: 0, spins: 0, partial, isShared: () => shared };
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

test('a descriptor from its halves', () => {
  expect(descriptorOf(0x9abc_def0 | 0, 0x8234_5678 | 0)).toBe(0x8234_5678_9abc_def0n);
});
