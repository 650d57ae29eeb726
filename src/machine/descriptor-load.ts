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
import { assertNever } from '../arch/assert.ts';

export const ACCESS_MODES = ['wasm', 'atomics', 'plain'] as const;
export type AccessMode = (typeof ACCESS_MODES)[number];

/**
 * Loads the descriptor at a byte address; returns its low half. The high half is the word after the
 * scratch word.
 */
export type DescriptorLoad = (byteAddress: number) => number;

/** Unsigned LEB128. */
function leb(n: number): number[] {
  const bytes: number[] = [];
  do {
    const more = n > 0x7f;
    bytes.push((n & 0x7f) | (more ? 0x80 : 0));
    n >>>= 7;
  } while (n !== 0);
  return bytes;
}

const name = (s: string): number[] => [...leb(s.length), ...Array.from(s, (c) => c.charCodeAt(0))];
const section = (id: number, body: number[]): number[] => [id, ...leb(body.length), ...body];

const I32 = 0x7f;
const I64 = 0x7e;

/**
 * (func (export "load") (param $address i32) (param $scratch i32) (result i32) (local $d i64)
 *   (i64.store (local.get $scratch) (local.tee $d (i64.atomic.load (local.get $address))))
 *   (i32.wrap_i64 (local.get $d)))
 */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = [
    ...[0x01, 0x01, I64],
    ...[0x20, 0x01, 0x20, 0x00],
    ...[0xfe, 0x11, 0x03, 0x00],
    ...[0x22, 0x02],
    ...[0x37, 0x03, 0x00],
    ...[0x20, 0x02, 0xa7, 0x0b],
  ];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [0x01, 0x60, 0x02, I32, I32, 0x01, I32]),
    ...section(2, [0x01, ...name('m'), ...name('memory'), 0x02, 0x03, 0x00, ...leb(65_536)]),
    ...section(3, [0x01, 0x00]),
    ...section(7, [0x01, ...name('load'), 0x00, 0x00]),
    ...section(10, [0x01, ...leb(body.length), ...body]),
  ]);
}

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
      const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), {
        m: { memory },
      });
      const load = instance.exports['load'] as (address: number, scratch: number) => number;
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
