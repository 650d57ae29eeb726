import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import type { Level } from '../../src/arch/geometry.ts';
import { createGrace, type Grace, graceWords } from '../../src/pgtable/grace.ts';
import type { Table } from '../../src/port/tables.ts';

const READERS = 3;
const T = (n: number): Table => n as Table;

function setUp(): { threads: readonly Grace[]; released: number[]; words: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(graceWords(READERS) * 4));
  const released: number[] = [];
  const release = (table: Table): void => void released.push(table);
  const threads = Array.from({ length: READERS }, (_, self) =>
    createGrace({ words, readers: READERS, self, release }),
  );
  return { threads, released, words };
}

const at = (threads: readonly Grace[], i: number): Grace => {
  const grace = threads[i];
  if (grace === undefined) throw new Error(`no thread ${i}`);
  return grace;
};

describe('grace period', () => {
  test('without readers a retired subtree goes at once', () => {
    const { threads, released } = setUp();
    at(threads, 0).defer(T(7), 2);
    expect(released).toEqual([7]);
  });

  test('a reader that was inside holds it up, one that came later does not', () => {
    const { threads, released } = setUp();
    at(threads, 1).enter();
    at(threads, 0).defer(T(7), 2);
    at(threads, 2).enter();
    expect(at(threads, 0).poll()).toBe(0);
    at(threads, 1).exit();
    expect(at(threads, 0).poll()).toBe(1);
    expect(released).toEqual([7]);
  });

  test('a reader that leaves and comes back is a new one', () => {
    const { threads, released } = setUp();
    at(threads, 1).enter();
    at(threads, 0).defer(T(7), 2);
    at(threads, 1).exit();
    at(threads, 1).enter();
    at(threads, 0).poll();
    expect(released).toEqual([7]);
  });

  test('sections nest: only the outermost exit counts', () => {
    const { threads, released } = setUp();
    const reader = at(threads, 1);
    reader.enter();
    at(threads, 0).defer(T(7), 2);
    reader.enter();
    reader.exit();
    expect(at(threads, 0).poll()).toBe(0);
    reader.exit();
    expect(at(threads, 0).poll()).toBe(1);
    expect(released).toEqual([7]);
  });

  test('the retiring thread may be a reader itself', () => {
    const { threads, released } = setUp();
    const self = at(threads, 0);
    self.enter();
    self.defer(T(7), 2);
    expect(released).toEqual([]);
    expect(() => self.drain(1)).toThrow('wait for itself');
    self.exit();
    expect(self.drain(1000)).toEqual({ kind: 'drained', freed: 1 });
  });

  test('frees oldest first, and only what may go', () => {
    const { threads, released } = setUp();
    at(threads, 0).defer(T(1), 2);
    at(threads, 1).enter();
    at(threads, 0).defer(T(2), 2);
    at(threads, 2).enter();
    at(threads, 0).defer(T(3), 2);
    expect(released).toEqual([1]);
    at(threads, 1).exit();
    at(threads, 0).poll();
    expect(released).toEqual([1, 2]);
    expect(at(threads, 0).pending).toBe(1);
  });

  test('pending lists are private: others neither free nor wait for them', () => {
    const { threads, released } = setUp();
    at(threads, 1).enter();
    at(threads, 0).defer(T(7), 2);
    expect(at(threads, 2).drain(0)).toEqual({ kind: 'drained', freed: 0 });
    expect(released).toEqual([]);
  });

  test('drain gives up at its time limit and names the reader', () => {
    const { threads } = setUp();
    at(threads, 2).enter();
    at(threads, 0).defer(T(7), 2);
    expect(at(threads, 0).drain(5)).toEqual({ kind: 'timeout', freed: 0, reader: 2 });
  });

  test('the level is handed through', () => {
    const words = new Int32Array(graceWords(1));
    const seen: Level[] = [];
    const grace = createGrace({
      words,
      readers: 1,
      self: 0,
      release: (_, level) => seen.push(level),
    });
    grace.defer(T(1), 3);
    expect(seen).toEqual([3]);
  });
});

test('drain waits for a reader on another thread', { timeout: 30_000 }, async () => {
  const { threads, released, words } = setUp();
  const signals = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL('./fixtures/grace-reader.ts', import.meta.url), {
    workerData: { words, readers: READERS, self: 1, signals },
  });
  const exited = once(worker, 'exit');
  try {
    // Rounds of: the reader announces itself, this thread retires and drains, the word must have
    // been left by then.
    for (let round = 1; round <= 200; round++) {
      if (Atomics.wait(signals, 0, round - 1, 10_000) === 'timed-out') throw new Error('no reader');
      at(threads, 0).defer(T(round), 2);
      expect(released.at(-1)).not.toBe(round);
      Atomics.store(signals, 1, round);
      Atomics.notify(signals, 1);
      expect(at(threads, 0).drain(10_000)).toEqual({ kind: 'drained', freed: 1 });
      expect(released.at(-1)).toBe(round);
    }
    await exited;
  } finally {
    await worker.terminate();
  }
});
