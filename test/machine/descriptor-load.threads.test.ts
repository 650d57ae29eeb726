/** The walker's load: three ways to the same 64 bits, and which of them never tears. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACCESS_MODES, createDescriptorLoad } from '../../src/machine/walk/descriptor-load.ts';
import type { WriterData } from './fixtures/descriptor-writer.ts';
import { awaitWord, sharedWords, startThread } from './threads.ts';

const ENTRIES = 8192;
const memoryOf = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

describe.each(ACCESS_MODES)('%s', (mode) => {
  test('returns the low half and leaves the high one beside it', () => {
    const memory = memoryOf();
    const descriptors = new BigUint64Array(memory.buffer);
    const halves = new Int32Array(memory.buffer);
    const scratch = fc.integer({ min: 0, max: 15 });
    const entry = fc.integer({ min: 16, max: ENTRIES - 1 });
    fc.assert(
      fc.property(scratch, entry, fc.bigInt(0n, 2n ** 64n - 1n), (cell, e, d) => {
        const load = createDescriptorLoad(memory, cell * 8, mode);
        descriptors.fill(0n);
        descriptors[e] = d;
        expect(load(e * 8)).toBe(Number(BigInt.asIntN(32, d)));
        expect(halves[cell * 2]).toBe(Number(BigInt.asIntN(32, d)));
        expect(halves[cell * 2 + 1]).toBe(Number(BigInt.asIntN(32, d >> 32n)));
        descriptors[cell] = 0n;
        descriptors[e] = 0n;
        expect(
          descriptors.every((x) => x === 0n),
          'touched another word',
        ).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('sees what was stored since the last load', () => {
    const memory = memoryOf();
    const descriptors = new BigUint64Array(memory.buffer);
    const load = createDescriptorLoad(memory, 0, mode);
    const seen = [1n, 2n, 3n].map((d) => {
      Atomics.store(descriptors, 9, d);
      return load(72);
    });
    expect(seen).toEqual([1, 2, 3]);
  });
});

interface Race {
  reads: number;
  /** Reads whose halves differ: nobody wrote such a descriptor. */
  torn: number;
  /** Reads that saw another value than the one before: without them there was no race. */
  changes: number;
}

/**
 * Two threads that take turns on one core race only where one is preempted: then a test goes on
 * for longer, and at its limit is content with fewer changes.
 */
const LIMIT_MS = 4_000;
/** The control must be seen; a machine that is busy for so long fails it. */
const CONTROL_LIMIT_MS = 30_000;

/** Reads beside a writer, in batches, until `isEnough` or for the time limit. */
async function race(
  how: WriterData['how'],
  mode: (typeof ACCESS_MODES)[number],
  isEnough: (race: Race) => boolean,
  limitMs: number,
): Promise<Race> {
  const BATCH = 100_000;
  const memory = memoryOf();
  const words = sharedWords(2);
  const entry = 64;
  const load = createDescriptorLoad(memory, 0, mode);
  const halves = new Int32Array(memory.buffer);
  const writer = startThread<string>('descriptor-writer', { memory, entry, how, words });
  const r: Race = { reads: 0, torn: 0, changes: 0 };
  try {
    awaitWord(words, 0, 1);
    let last = 0;
    for (const end = performance.now() + limitMs; !isEnough(r) && performance.now() < end;) {
      for (let i = 0; i < BATCH; i++) {
        const low = load(entry * 8);
        if (low !== halves[1]) r.torn++;
        if (low !== last) r.changes++;
        last = low;
      }
      r.reads += BATCH;
    }
    Atomics.store(words, 1, 1);
    expect(await writer.result).toBe('done');
  } finally {
    await writer.end();
  }
  return r;
}

const READS = 2_000_000;
/** Enough to catch a load made of two halves many times over: 0.6 to 17 % of changes, measured. */
const CHANGES = 200_000;
const CHANGES_MIN = 10;
const raced = (r: Race): boolean => r.torn > 0 || (r.reads >= READS && r.changes >= CHANGES);

test.each(['wasm', 'atomics'] as const)('%s never sees two 64-bit stores mixed', async (mode) => {
  const r = await race('whole', mode, raced, LIMIT_MS);
  expect(r.torn).toBe(0);
  expect(r.reads).toBeGreaterThanOrEqual(READS);
  expect(r.changes, 'no race took place').toBeGreaterThanOrEqual(CHANGES_MIN);
});

test('plain sees whole stores too in this engine, or says how many it did not', async () => {
  const r = await race('whole', 'plain', raced, LIMIT_MS);
  expect(r.changes, 'no race took place').toBeGreaterThanOrEqual(CHANGES_MIN);
  if (r.torn > 0) console.warn(`plain loads: ${r.torn} of ${r.reads} torn`);
});

test.each(ACCESS_MODES)('%s sees a descriptor torn that is written in halves', async (mode) => {
  const r = await race('halves', mode, (x) => x.torn > 0, CONTROL_LIMIT_MS);
  expect(r.torn).toBeGreaterThan(0);
});
