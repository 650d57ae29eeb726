/** One compare-exchange of 64 bits: all of the descriptor or nothing, and nothing beside it. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { createDescriptorUpdate } from '../../src/machine/walk/descriptor-update.ts';

const AT = 3;
const OTHER = 2n ** 64n - 1n;
const D = 0x8008_0000_8000_044fn;
const [LOW, HIGH] = [Number(BigInt.asIntN(32, D)), Number(BigInt.asIntN(32, D >> 32n))];

function memoryWith(d: bigint): { memory: WebAssembly.Memory; u64: BigUint64Array } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const u64 = new BigUint64Array(memory.buffer);
  u64.fill(OTHER, AT - 1, AT + 2);
  u64[AT] = d;
  return { memory, u64 };
}

test.each<[string, bigint, boolean, bigint]>([
  ['is made where both halves are as loaded', D, true, D | 0x80n],
  ['is not where the low half differs', D ^ 4n, false, D ^ 4n],
  ['is not where the high half differs', D ^ (1n << 60n), false, D ^ (1n << 60n)],
])('%s', (_name, there, isMade, after) => {
  const { memory, u64 } = memoryWith(there);
  expect(createDescriptorUpdate(memory)(AT * 8, LOW, HIGH, LOW | 0x80)).toBe(isMade);
  expect([...u64.subarray(AT - 1, AT + 2)]).toEqual([OTHER, after, OTHER]);
});

test('two threads that update one descriptor lose nothing of each other', async () => {
  const { memory, u64 } = memoryWith(0n);
  const update = createDescriptorUpdate(memory);
  const i32 = new Int32Array(memory.buffer);
  const times = 20_000;
  // The other thread counts in the high half with Atomics, this one in the low half.
  const other = new Worker(
    `const { workerData: { buffer, at, times } } = require('node:worker_threads');
     const u64 = new BigUint64Array(buffer);
     for (let i = 0; i < times; i++) Atomics.add(u64, at, 1n << 32n);`,
    { eval: true, workerData: { buffer: memory.buffer, at: AT, times } },
  );
  const ended = new Promise((resolve) => other.once('exit', resolve));
  for (let done = 0; done < times;) {
    const low = Atomics.load(i32, AT * 2);
    const high = Atomics.load(i32, AT * 2 + 1);
    if (update(AT * 8, low, high, low + 1)) done++;
  }
  await ended;
  expect(u64[AT]).toBe((BigInt(times) << 32n) | BigInt(times));
});
