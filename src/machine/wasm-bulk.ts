/**
 * Operations on whole table pages (pgtable/page-bulk.ts), two entries at a time: a few bytes of WebAssembly
 * with 128-bit vectors over the same memory. Each lane of such a load or store is a 64-bit access.
 */
import type { PageBulk } from '../pgtable/page-bulk.ts';
import type { Arena } from './arena.ts';
import { I64, leb, V128, wasmFunction } from './wasm-function.ts';

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const tee = (local: number): number[] => [0x22, local];
const i64 = (n: number): number[] => [0x42, n];
const simd = (operation: number): number[] => [0xfd, ...leb(operation)];

const [extend, add64, or64, shl64, wrap] = [0xad, 0x7c, 0x84, 0x86, 0xa7];
// Aligned to 2^4 bytes, without an offset.
const load = [...simd(0x00), 4, 0];
const store = [...simd(0x0b), 4, 0];
const splat = simd(0x12);
const and = simd(0x4e);
const or = simd(0x50);
const xor = simd(0x51);
const anyTrue = simd(0x53);
const add = simd(0xce);
const extractLane = (lane: number): number[] => [...simd(0x1d), lane];
const replaceLane = (lane: number): number[] => [...simd(0x1e), lane];

/** Parameters: first byte of a page, its end, the halves of a descriptor, how far it is to the next. */
const [at, end, low, high, step] = [0, 1, 2, 3, 4];

/** (i64.or (i64.shl high 32) low), both zero-extended. */
const descriptor = [...[...get(high), extend, ...i64(32), shl64], ...[...get(low), extend, or64]];

/** (loop $body (br_if 0 (i32.lt_u (local.tee $at (i32.add $at 16)) $end))) */
const forEachPair = (body: readonly number[]): number[] => [
  ...[0x03, 0x40, ...body],
  ...[...get(at), 0x41, 16, 0x6a, ...tee(at), ...get(end), 0x49, 0x0d, 0x00, 0x0b],
];

function fillCode(first: number, pair: number, twoSteps: number): number[] {
  return [
    ...[...descriptor, ...tee(first), ...splat],
    ...[...get(first), ...get(step), extend, add64, ...replaceLane(1), ...set(pair)],
    ...[...get(step), extend, ...i64(1), shl64, ...splat, ...set(twoSteps)],
    ...forEachPair([
      ...[...get(at), ...get(pair), ...store],
      ...[...get(pair), ...get(twoSteps), ...add, ...set(pair)],
    ]),
    ...[0x41, 0],
  ];
}

/** Whether any bit of any entry differs. */
function differsCode(wanted: number, different: number): number[] {
  return [
    ...[...descriptor, ...splat, ...set(wanted)],
    ...forEachPair([
      ...[...get(at), ...load, ...get(wanted), ...xor],
      ...[...get(different), ...or, ...set(different)],
    ]),
    ...[...get(different), ...anyTrue],
  ];
}

function countCode(ones: number, counts: number): number[] {
  return [
    ...[...i64(1), ...splat, ...set(ones)],
    ...forEachPair([
      ...[...get(at), ...load, ...get(ones), ...and],
      ...[...get(counts), ...add, ...set(counts)],
    ]),
    ...[...get(counts), ...extractLane(0), ...get(counts), ...extractLane(1), add64, wrap],
  ];
}

export function createWasmBulk({ handle: { memory }, layout }: Arena): PageBulk {
  const { tablesB, entriesPerTable } = layout;
  const fill = wasmFunction(memory, 5, [I64, V128, V128], fillCode(5, 6, 7));
  const differs = wasmFunction(memory, 4, [V128, V128], differsCode(4, 5));
  const count = wasmFunction(memory, 2, [V128, V128], countCode(2, 3));
  const addressOf = (page: number): number => tablesB + page * entriesPerTable * 8;
  return {
    fill(page, ofLow, ofHigh, apart) {
      fill(addressOf(page), addressOf(page + 1), ofLow, ofHigh, apart);
    },
    holdsOnly: (page, ofLow, ofHigh) =>
      differs(addressOf(page), addressOf(page + 1), ofLow, ofHigh) === 0,
    countValid: (page) => count(addressOf(page), addressOf(page + 1)),
  };
}
