/**
 * The walker's update of a leaf (FEAT_HAFDBS): one 64-bit compare-exchange, so that it is lost
 * neither to nor over a change that software makes at the same moment. A few bytes of WebAssembly
 * over the same memory, like the walk: `Atomics.compareExchange` on a BigUint64Array makes three
 * BigInts, and right after a pass over the dirty log every store of a vCPU comes here once.
 */
import { I64, wasmFunction } from '../wasm-function.ts';

/**
 * Puts `newLow` into the low half of the descriptor at a byte address if both halves are still as
 * given. Everything that hardware updates lies in the low half: AF is bit 10, S2AP[1] bit 7.
 */
export type DescriptorUpdate = (
  byteAddress: number,
  low: number,
  high: number,
  newLow: number,
) => boolean;

const [address, low, high, newLow, upper, expected] = [0, 1, 2, 3, 4, 5];
const get = (local: number): number[] => [0x20, local];
/** The 64 bits of `upper` and a low half, both zero-extended. */
const joined = (half: number): number[] => [...get(upper), ...get(half), 0xad, 0x84];

/**
 * (local.set $upper (i64.shl (i64.extend_i32_u (local.get $high)) (i64.const 32)))
 * (local.set $expected (i64.or (local.get $upper) (i64.extend_i32_u (local.get $low))))
 * (i64.eq (local.get $expected)
 *   (i64.atomic.rmw.cmpxchg (local.get $address) (local.get $expected)
 *     (i64.or (local.get $upper) (i64.extend_i32_u (local.get $newLow)))))
 */
const COMPARE_EXCHANGE = [
  ...[...get(high), 0xad, 0x42, 32, 0x86, 0x21, upper],
  ...[...joined(low), 0x21, expected],
  ...get(expected),
  ...[...get(address), ...get(expected), ...joined(newLow), 0xfe, 0x49, 0x03, 0x00],
  0x51,
];

export function createDescriptorUpdate(memory: WebAssembly.Memory): DescriptorUpdate {
  const exchange = wasmFunction(memory, 4, [I64, I64], COMPARE_EXCHANGE);
  return (byteAddress, from, fromHigh, to) => exchange(byteAddress, from, fromHigh, to) === 1;
}
