/**
 * Where the walk of a tree starts, and what of its descriptors counts, from VTCR_EL2 or TCR_EL2
 * (DDI 0487): T0SZ in bits [5:0], SL0 in [7:6], TG0 in [15:14], HA in 21, DS in 32, SL2 in 33.
 *
 * Logs made outside a kernel often leave SL0 zero and mean what casemate (v3.0.2, pgtable.c,
 * read_start_level) makes of T0SZ alone, so an SL0 that T0SZ contradicts is not believed.
 */
import { type Geometry, geometryOf, type Level, levelShift } from '../../arch/geometry.ts';

/** Input address bits a concatenated start table may add: 16 pages side by side. */
const CONCATENATED_BITS = 4;
/** Before the control register is written: 48 bits, which start at level 0. */
const DEFAULT_T0SZ = 16n;

export interface TreeShape {
  readonly geometry: Geometry;
  /** Of the first table. */
  readonly level: Level;
  /** Table pages side by side. */
  readonly pages: number;
  /** Hardware sets the access flag (HA): without it an entry with AF = 0 is in no TLB. */
  readonly hardwareAf: boolean;
  /** Descriptors have addresses of 52 bits with the 4K or 16K granule (FEAT_LPA2, DS). */
  readonly large: boolean;
}

/** A tree that can be judged, or one clause that says why it cannot. */
export type ShapeOrReason = TreeShape | string;

const GRANULES = ['4k', '64k', '16k'] as const;

/** Of a stage-2 tree. `vtcr` is null before VTCR_EL2 is written. */
export function stage2Shape(vtcr: bigint | null): ShapeOrReason {
  const value = vtcr ?? DEFAULT_T0SZ;
  const granule = GRANULES[Number((value >> 14n) & 3n)];
  if (granule === undefined) return 'its granule (TG0) is reserved';
  const geometry = geometryOf(granule);
  const bits = 64 - Number(value & 0x3fn);
  const reason = badSize(bits, bit(value, 32n));
  if (reason !== null) return reason;
  const flags = flagsOf(value, geometry);
  const base = granule === '4k' ? 2 : 3;
  const level = base - Number((value >> 6n) & 3n);
  const fits = !bit(value, 33n) && level >= 0;
  const extra = fits ? extraBits(geometry, level as Level, bits) : Number.POSITIVE_INFINITY;
  if (extra <= CONCATENATED_BITS && extra > -geometry.bitsPerLevel)
    return { geometry, level: level as Level, pages: 2 ** Math.max(0, extra), ...flags };
  return fromSize(geometry, bits, CONCATENATED_BITS, flags);
}

/** Of the stage-1 tree of EL2. `tcr` is null before TCR_EL2 is written. */
export function stage1Shape(tcr: bigint | null): ShapeOrReason {
  const value = tcr ?? DEFAULT_T0SZ;
  const granule = GRANULES[Number((value >> 14n) & 3n)];
  if (granule === undefined) return 'its granule (TG0) is reserved';
  const bits = 64 - Number(value & 0x3fn);
  const geometry = geometryOf(granule);
  const reason = badSize(bits, bit(value, 32n));
  return reason ?? fromSize(geometry, bits, 0, flagsOf(value, geometry));
}

type Flags = Pick<TreeShape, 'hardwareAf' | 'large'>;

function flagsOf(control: bigint, { granule }: Geometry): Flags {
  return { hardwareAf: bit(control, 21n), large: bit(control, 32n) && granule !== '64k' };
}

function bit(value: bigint, at: bigint): boolean {
  return ((value >> at) & 1n) === 1n;
}

function badSize(bits: number, large: boolean): string | null {
  if (bits < 25) return `its ${bits} address bits are fewer than any tree has`;
  if (bits > (large ? 52 : 48)) return `its ${bits} address bits need LPA2 or LVA`;
  return null;
}

/** The deepest level that resolves `bits`, with at most `spare` bits of concatenation. */
function fromSize(geometry: Geometry, bits: number, spare: number, flags: Flags): ShapeOrReason {
  const above = ([0, 1, 2, 3] as const).filter(
    (level) => extraBits(geometry, level, bits) > -geometry.bitsPerLevel,
  );
  const exact = above.find((level) => extraBits(geometry, level, bits) <= 0);
  const level = exact ?? above.find((at) => extraBits(geometry, at, bits) <= spare);
  if (level === undefined) return `its ${bits} address bits start at level -1`;
  const pages = 2 ** Math.max(0, extraBits(geometry, level, bits));
  return { geometry, level, pages, ...flags };
}

/** Input address bits beyond what one table page of `level` resolves. */
function extraBits(geometry: Geometry, level: Level, bits: number): number {
  return bits - levelShift(geometry, level) - geometry.bitsPerLevel;
}
