/**
 * The walker's 64-bit descriptor load, three ways.
 *
 * `wasm`     i64.atomic.load of a few bytes of WebAssembly over the same memory: atomic by
 * specification, allocates
 *            nothing. The default.
 * `atomics`  Atomics.load on a BigUint64Array: the same guarantee, but every load makes a heap
 * BigInt, and a garbage
 *            collection stops the vCPU in the middle of a race.
 * `plain`    a plain BigUint64Array element move: one 64-bit instruction in every V8 seen, not
 * promised by ECMAScript
 *            (IsNoTearConfiguration is false for unordered BigInt64 accesses).
 *
 * All three leave the 64 bits in a private scratch cell and return the low half, so that the walker
 * never holds a BigInt.
 */
import { assertNever } from '../../arch/assert.ts';
import { I64, wasmFunction } from '../wasm-function.ts';

export const ACCESS_MODES = ['wasm', 'atomics', 'plain'] as const;
export type AccessMode = (typeof ACCESS_MODES)[number];

/**
 * Loads the descriptor at a byte address; returns its low half. The high half is the word after the
 * scratch word.
 */
export type DescriptorLoad = (byteAddress: number) => number;

/**
 * (i64.store (local.get $scratch) (local.tee $d (i64.atomic.load (local.get $address))))
 * (i32.wrap_i64 (local.get $d))
 */
const LOAD = [
  ...[0x20, 0x01, 0x20, 0x00],
  ...[0xfe, 0x11, 0x03, 0x00],
  ...[0x22, 0x02],
  ...[0x37, 0x03, 0x00],
  ...[0x20, 0x02, 0xa7],
];

/** `scratchB` is a byte offset, 8-aligned, that only the calling thread touches. */
export function createDescriptorLoad(
  memory: WebAssembly.Memory,
  scratchB: number,
  access: AccessMode,
): DescriptorLoad {
  const u64 = new BigUint64Array(memory.buffer);
  const i32 = new Int32Array(memory.buffer);
  const cell = scratchB >>> 3;
  const low = scratchB >>> 2;
  switch (access) {
    case 'wasm': {
      const load = wasmFunction(memory, 2, [I64], LOAD);
      return (byteAddress) => load(byteAddress, scratchB);
    }
    case 'atomics':
      return (byteAddress) => {
        u64[cell] = Atomics.load(u64, byteAddress >>> 3);
        return i32[low] as number;
      };
    case 'plain':
      return (byteAddress) => {
        u64[cell] = u64[byteAddress >>> 3] as bigint;
        return i32[low] as number;
      };
    default:
      return assertNever(access);
  }
}
