/**
 * Where the state of a primitive lives: a few consecutive words of an Int32Array over shared
 * memory. `init()` of a primitive takes memory of its own; `attach()` takes a place in memory the
 * caller has laid out. Zeroed words are a free lock, an unsignalled condition, a Once that has not
 * run; only a barrier and a semaphore need a value first.
 */
import { InvalidError } from './errors.ts';

const INT32_MIN = -0x8000_0000;
const INT32_MAX = 0x7fff_ffff;

export function newWords(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}

export function viewWords(memory: Int32Array, index: number, count: number): Int32Array {
  checkWords(memory, count);
  if (!Number.isInteger(index) || index < 0 || index + count > memory.length) {
    throw new InvalidError(`${count} words at index ${index} do not lie within ${memory.length}`);
  }
  return memory.subarray(index, index + count);
}

/** Views that are not shared would make every wait throw and every lock private to one thread. */
export function checkWords(words: Int32Array, count: number): void {
  if (!(words instanceof Int32Array) || !(words.buffer instanceof SharedArrayBuffer)) {
    throw new InvalidError('state must be an Int32Array over a SharedArrayBuffer');
  }
  if (words.length < count)
    throw new InvalidError(`state needs ${count} words, got ${words.length}`);
}

/** 0 stands for "no owner", so it cannot name a thread. */
export function checkThread(id: number): void {
  if (!isInt32(id) || id === 0)
    throw new InvalidError(`thread id must be a non-zero int32, got ${id}`);
}

/**
 * Absolute limits are milliseconds since the epoch, as `Date.now()` counts; Infinity means none.
 */
export function checkTimestamp(absoluteMs: number): void {
  if (typeof absoluteMs !== 'number' || Number.isNaN(absoluteMs)) {
    throw new InvalidError(`time limit must be a number of milliseconds, got ${absoluteMs}`);
  }
}

export function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX;
}
