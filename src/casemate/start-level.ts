/**
 * Where the walk of a stage-2 tree starts, from VTCR_EL2: T0SZ in bits [5:0], SL0 in [7:6], TG0 in
 * [15:14]. With the 4K granule SL0 counts levels backwards from 2.
 *
 * Logs made outside a kernel often leave SL0 zero and mean what casemate (v3.0.2, pgtable.c,
 * read_start_level) makes of T0SZ alone, so an SL0 that T0SZ contradicts is not believed.
 */
import { type Geometry, geometryOf, type Level, levelShift } from '../arch/geometry.ts';

/** casemate's trees are of this granule. */
export const GEOMETRY: Geometry = geometryOf('4k');

/** Input address bits a concatenated start table may add: 16 pages side by side. */
const CONCATENATED_BITS = 4;
/** Before VTCR_EL2 is written: 48 bits, which start at level 0. */
const DEFAULT_T0SZ = 16;

export interface Start {
  readonly level: Level;
  /** Table pages side by side. */
  readonly pages: number;
}

/** Null: another granule, or a size no tree has. */
export function startOf(vtcr: bigint | null): Start | null {
  if (vtcr !== null && ((vtcr >> 14n) & 3n) !== 0n) return null;
  const t0sz = vtcr === null ? DEFAULT_T0SZ : Number(vtcr & 0x3fn);
  const bits = 64 - t0sz;
  if (bits < 25 || bits > 48) return null;
  const level = 2 - Number(((vtcr ?? 0n) >> 6n) & 3n);
  const extra = level < 0 ? Number.POSITIVE_INFINITY : extraBits(level as Level, bits);
  if (extra <= CONCATENATED_BITS && extra > -GEOMETRY.bitsPerLevel)
    return { level: level as Level, pages: 2 ** Math.max(0, extra) };
  const deepest = Math.floor((48 - bits) / GEOMETRY.bitsPerLevel) as Level;
  return { level: deepest, pages: 2 ** Math.max(0, extraBits(deepest, bits)) };
}

/** Input address bits beyond what one table page of `level` resolves. */
function extraBits(level: Level, bits: number): number {
  return bits - levelShift(GEOMETRY, level) - GEOMETRY.bitsPerLevel;
}
