/**
 * The loads of one stage-2 walk, from a table down to a leaf, a hole or the end of the tables: the
 * region's ghost word, one atomic 64-bit load per level, the ghost word again. Nothing is judged here:
 * what was loaded lies in the calling thread's scratch line for the MMU to look at.
 *
 * One call of WebAssembly for all levels, because each call costs as much as a load. `atomics` and
 * `plain` do the same from JavaScript (descriptor-load.ts says what that costs).
 *
 * Words of the scratch line: 0 the ghost word after the walk, 1 before it, 4 + 2 x level the descriptor
 * of that level (low half, high half), 12 + level the table page it was read from.
 */
import { createDescriptorLoad, type AccessMode } from './descriptor-load.ts';
import type { Layout } from '../layout.ts';
import { I32, I64, signedLeb, leb, wasmFunction } from '../wasm-function.ts';

export const WALKED = { ghost: 0, before: 1, descriptors: 4, tables: 12 } as const;

/**
 * Walks for `ipaPage` (page number of the IPA) from `table`, whose entries are of `level`; `ghostB`
 * is the byte address of the ghost word. Returns the level of the last descriptor loaded.
 */
export type TableWalk = (ipaPage: number, level: number, table: number, ghostB: number) => number;

const FRAME_MASK = 2n ** 36n - 1n;

export function createTableWalk(
  memory: WebAssembly.Memory,
  layout: Layout,
  scratchB: number,
  access: AccessMode,
): TableWalk {
  return access === 'wasm'
    ? wasmFunction(memory, 4, [I64, I32, I64], wasmWalk(layout, scratchB))
    : scriptWalk(memory, layout, scratchB, access);
}

function wasmWalk(layout: Layout, scratchB: number): number[] {
  const { indexBits, startLevel, tablesB, tablePages, pageShift, tablePaBase } = layout;
  const get = (local: number): number[] => [0x20, local];
  const set = (local: number): number[] => [0x21, local];
  const tee = (local: number): number[] => [0x22, local];
  const i32 = (n: number): number[] => [0x41, ...signedLeb(n)];
  const i64 = (n: number | bigint): number[] => [0x42, ...signedLeb(n)];
  const [ipaPage, level, table, ghostB, descriptor, number, next] = [0, 1, 2, 3, 4, 5, 6];
  const [add32, sub32, mul32, and32, or32, shl32, shr32] = [
    0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x74, 0x76,
  ];
  const loadGhost = (word: number): number[] => [
    ...[...i32(0), ...get(ghostB), 0xfe, 0x10, 0x02, 0x00],
    ...[0x36, 0x02, ...leb(scratchB + word * 4)],
  ];
  return [
    ...loadGhost(WALKED.before),
    ...[0x02, 0x40], // block
    ...[0x03, 0x40], // loop
    // number = ipaPage >> indexBits * (3 - level), and within one table below the start level
    ...[...get(ipaPage), ...i32(indexBits), ...i32(3), ...get(level), sub32, mul32, shr32],
    ...set(number),
    ...[...get(level), ...i32(startLevel), 0x47, 0x04, 0x40], // if level != startLevel
    ...[...get(number), ...i32(2 ** indexBits - 1), and32, ...set(number), 0x0b],
    // tables[level] = table
    ...[...get(level), ...i32(2), shl32, ...get(table)],
    ...[0x36, 0x02, ...leb(scratchB + WALKED.tables * 4)],
    // descriptors[level] = atomic load of entry `number` of `table`
    ...[...get(level), ...i32(3), shl32],
    ...[...get(table), ...i32(indexBits), shl32, ...get(number), add32, ...i32(3), shl32],
    ...[0xfe, 0x11, 0x03, ...leb(tablesB), ...tee(descriptor)],
    ...[0x37, 0x03, ...leb(scratchB + WALKED.descriptors * 4)],
    // done at a page, or if this is no table
    ...[...get(level), ...i32(3), 0x46],
    ...[...get(descriptor), ...i64(3), 0x83, ...i64(3), 0x52, or32, 0x0d, 0x01],
    // next = (frame - first table's frame) >> frames per page; done if outside the tables
    ...[...get(descriptor), ...i64(12), 0x88, ...i64(FRAME_MASK), 0x83],
    ...[...i64(tablePaBase / 4096), 0x7d, ...i64(pageShift - 12), 0x88, ...tee(next)],
    ...[...i64(tablePages), 0x5a, 0x0d, 0x01],
    ...[...get(next), 0xa7, ...set(table)],
    ...[...get(level), ...i32(1), add32, ...set(level)],
    ...[0x0c, 0x00, 0x0b, 0x0b], // continue, end of loop and block
    ...loadGhost(WALKED.ghost),
    ...get(level),
  ];
}

function scriptWalk(
  memory: WebAssembly.Memory,
  layout: Layout,
  scratchB: number,
  access: AccessMode,
): TableWalk {
  const { indexBits, startLevel, tablesB, tablePages, pageShift, tablePaBase, entriesPerTable } =
    layout;
  const i32 = new Int32Array(memory.buffer);
  const scratchW = scratchB >>> 2;
  const loads = [0, 1, 2, 3].map((level) =>
    createDescriptorLoad(memory, scratchB + (WALKED.descriptors + 2 * level) * 4, access),
  );
  return (ipaPage, level, table, ghostB) => {
    i32[scratchW + WALKED.before] = Atomics.load(i32, ghostB >>> 2);
    for (;;) {
      const number = ipaPage >>> (indexBits * (3 - level));
      const index = level === startLevel ? number : number & (entriesPerTable - 1);
      const load = loads[level] as (address: number) => number;
      const low = load(tablesB + (table * entriesPerTable + index) * 8);
      const high = i32[scratchW + WALKED.descriptors + 2 * level + 1] as number;
      i32[scratchW + WALKED.tables + level] = table;
      if (level === 3 || (low & 3) !== 3) break;
      const frame = (low >>> 12) + (high & 0xffff) * 2 ** 20;
      const next = Math.floor((frame - tablePaBase / 4096) / 2 ** (pageShift - 12));
      if (next < 0 || next >= tablePages) break;
      table = next;
      level++;
    }
    i32[scratchW + WALKED.ghost] = Atomics.load(i32, ghostB >>> 2);
    return level;
  };
}
