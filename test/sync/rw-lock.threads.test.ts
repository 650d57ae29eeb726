/**
 * RwLock: exclusion, nobody starves at the head of the queue, and a wait given up leaves nothing
 * behind.
 */
import { describe, expect, test } from 'vitest';
import { InvalidError, PermissionError, raiseStop, RwLock } from '#sync';
import { LIMIT_MS, sharedWords, startThreads, until } from './run-threads.ts';

const SHORT_MS = 20;
/** As rw-lock.ts draws it. */
const WRITER_WAITS = 1 << 29;

test('readers share, a writer does not', () => {
  const lock = RwLock.init();
  expect(RwLock.readLock(lock)).toBe('acquired');
  expect(RwLock.readLock(lock)).toBe('acquired');
  expect(RwLock.writeLock(lock, 10, SHORT_MS)).toBe('timeout');
  RwLock.readUnlock(lock);
  RwLock.readUnlock(lock);
  expect(RwLock.writeLock(lock)).toBe('acquired');
  expect(RwLock.readLock(lock, 10, SHORT_MS)).toBe('timeout');
  expect(RwLock.writeLock(lock, 10, SHORT_MS)).toBe('timeout');
  RwLock.writeUnlock(lock);
  expect([...lock], 'nothing is left of waits given up').toEqual([0, 0]);
});

test('a wait given up because of the stop word leaves nothing behind either', () => {
  const lock = RwLock.init();
  const stop = sharedWords(1);
  raiseStop(stop, 0);
  RwLock.writeLock(lock);
  expect(RwLock.readLock(lock, 0, Infinity, stop, 0)).toBe('stopped');
  expect(RwLock.writeLock(lock, 0, Infinity, stop, 0)).toBe('stopped');
  RwLock.writeUnlock(lock);
  expect([...lock]).toEqual([0, 0]);
});

test('the last reader wakes the waiting writer, a writer whoever waits', async () => {
  // The test sleeps in place of the head of the queue: a real one would be saved by its time slice.
  const lock = RwLock.init();
  RwLock.readLock(lock);
  Atomics.or(lock, 0, WRITER_WAITS);
  const writer = Atomics.waitAsync(lock, 0, WRITER_WAITS | 1, LIMIT_MS).value;
  RwLock.readUnlock(lock);
  expect(await writer).toBe('ok');
  Atomics.store(lock, 0, 0);
  RwLock.writeLock(lock);
  const held = Atomics.add(lock, 0, 1) + 1;
  const reader = Atomics.waitAsync(lock, 0, held, LIMIT_MS).value;
  RwLock.writeUnlock(lock);
  expect(await reader).toBe('ok');
});

test('releasing what nobody holds is misuse', () => {
  expect(() => RwLock.readUnlock(RwLock.init())).toThrow(PermissionError);
  expect(() => RwLock.writeUnlock(RwLock.init())).toThrow(PermissionError);
  expect(() => RwLock.attach(sharedWords(2), 1)).toThrow(InvalidError);
});

test('a queue is somebody who waits, not somebody who holds', () => {
  const lock = RwLock.init();
  expect(RwLock.hasQueue(lock)).toBe(false);
  RwLock.writeLock(lock);
  expect(RwLock.hasQueue(lock)).toBe(false);
  expect(RwLock.writeLock(lock, 0, 1)).toBe('timeout');
  expect(RwLock.hasQueue(lock)).toBe(false);
  RwLock.writeUnlock(lock);
});

describe('with another thread', () => {
  const start = (
    variant: string,
  ): { words: Int32Array; lock: Int32Array; finish: () => Promise<unknown> } => {
    const words = sharedWords(16);
    const lock = RwLock.attach(words, 8);
    const finish = async (): Promise<unknown> => {
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
      return (await threads.results)[0];
    };
    if (variant === 'write') RwLock.readLock(lock);
    else RwLock.writeLock(lock);
    const threads = startThreads('lock-holder', 1, { variant, rounds: 1, words });
    return { words, lock, finish };
  };

  test('a waiting writer keeps new readers off and comes before them', async () => {
    const { words, lock, finish } = start('write');
    await until(() => ((lock[0] ?? 0) & WRITER_WAITS) !== 0, 'the writer waits');
    expect(RwLock.readLock(lock, 0, SHORT_MS), 'a new reader').toBe('timeout');
    RwLock.readUnlock(lock);
    await until(() => Atomics.load(words, 0) === 1, 'the writer has it');
    expect(RwLock.readLock(lock, 0, SHORT_MS)).toBe('timeout');
    expect(await finish()).toBe('acquired');
    expect([...lock]).toEqual([0, 0]);
  });

  test('a waiting reader comes before the next writer', async () => {
    const { words, lock, finish } = start('read');
    await until(() => ((lock[0] ?? 0) & 1) !== 0, 'the reader waits');
    RwLock.writeUnlock(lock);
    // At once, before the reader can have woken: it is not to be overtaken.
    expect(RwLock.writeLock(lock, 0, SHORT_MS)).toBe('timeout');
    await until(() => Atomics.load(words, 0) === 1, 'the reader has it');
    expect(RwLock.readLock(lock, 0, SHORT_MS), 'readers share').toBe('acquired');
    RwLock.readUnlock(lock);
    expect(await finish()).toBe('acquired');
    expect([...lock]).toEqual([0, 0]);
  });
});

test.each([2, 5, 9])(
  '%i threads read and write: no addition lost, no torn pair',
  async (parties) => {
    const words = sharedWords(16);
    const rounds = 10_000;
    await startThreads('lock-counter', parties, { variant: 'rw-lock', rounds, words }).results;
    expect(words[2], 'torn pairs').toBe(0);
    expect(words[0]).toBe((parties * rounds) / 2);
    expect([words[8], words[9]]).toEqual([0, 0]);
  },
);
