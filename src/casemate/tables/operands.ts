/** The register operands of a log's events, decoded (DDI 0487). */
import type { Granule } from '../../arch/geometry.ts';
import type { TlbiOp } from '../../arch/tlbi.ts';

/** VTTBR_EL2.VMID, TTBR0_EL2.ASID: bits [63:48]. */
export function idOf(root: bigint): number {
  return Number(root >> 48n);
}

/** BADDR; bit 0 is CnP. */
export function rootOf(value: bigint): number {
  return Number(value & 0x0000_ffff_ffff_fffen);
}

export type Operand = Pick<TlbiOp, 'ipa' | 'size' | 'ttl' | 'granule'>;

/** By TTL[3:2]. */
const HINTED_GRANULES: readonly (Granule | null)[] = [null, '4k', '16k', '64k'];
/** Level 1 of 16K: no hint at all without FEAT_LPA2. */
const TTL_OF_LPA2 = 0b1001n;

/**
 * Xt of a TLBI by address: address [51:12] in bits [39:0] (by VA [55:12] in [43:0]), TTL in
 * [47:44], whose upper two bits are the granule; where they are 0 there is no hint. `large`: DS is
 * set, so the CPU has FEAT_LPA2.
 */
export function addressOperand(value: bigint, { large }: RangeUnits): Operand {
  const ipa = Number(value & 0xff_ffff_ffffn) * 4096;
  const granule = HINTED_GRANULES[Number((value >> 46n) & 3n)] ?? null;
  const ttl = Number((value >> 44n) & 3n) as 0 | 1 | 2 | 3;
  return granule === null || isUnsureHint(value, large) ? { ipa } : { ipa, ttl, granule };
}

/** Is its hint one with FEAT_LPA2 only, and does the log not tell whether the CPU has that? */
function isUnsureHint(value: bigint, large: boolean): boolean {
  return ((value >> 44n) & 15n) === TTL_OF_LPA2 && !large;
}

/** What the TTL of a TLBI leaves open, as a clause; null: nothing. */
export function unsureHint(name: string, value: bigint, units: RangeUnits): string | null {
  if (!name.startsWith('r')) {
    return isUnsureHint(value, units.large)
      ? 'with TTL 0b1001: level 1 of 16K where the CPU has FEAT_LPA2, which takes nothing else, and ' +
          'no hint where it has not; the log does not tell, and it is taken for none'
      : null;
  }
  const { ipa = 0, size = 0, ttl = 0 } = rangeOperand(value, units);
  if (ttl === 0 || size === 0) return null;
  const bitsPerLevel = Math.log2(units.granuleBytes) - 3;
  const isAligned = ipa % (units.granuleBytes * 2 ** (bitsPerLevel * (3 - ttl))) === 0;
  return isAligned
    ? null
    : 'by range whose base is not aligned to the level of its TTL: which addresses it takes is ' +
        'UNPREDICTABLE (I_TYBWT), and those that it names are taken';
}

export interface RangeUnits {
  readonly large: boolean;
  /** Of the tree. */
  readonly granuleBytes: number;
}

/** By TG: bytes of a granule. TG 0 is reserved. */
const GRANULE_BYTES = [4096, 4096, 16_384, 65_536] as const;

/**
 * Xt of a TLBI by range: BaseADDR in bits [36:0], TTL in [38:37], NUM in [43:39], SCALE in
 * [45:44], TG in [47:46]: (NUM+1)*2^(5*SCALE+1) granules from a base that counts granules, or
 * 64 KiB where `large` (DS, FEAT_LPA2). With another TG than the tree's nothing need be
 * invalidated (R_XKMMX): then the size is 0.
 */
export function rangeOperand(value: bigint, { large, granuleBytes }: RangeUnits): Operand {
  const tg = Number((value >> 46n) & 3n);
  const bytes = GRANULE_BYTES[tg] ?? 4096;
  const ipa = Number(value & 0x1f_ffff_ffffn) * (large ? 65_536 : bytes);
  const num = Number((value >> 39n) & 31n);
  const scale = Number((value >> 44n) & 3n);
  const ttl = Number((value >> 37n) & 3n) as 0 | 1 | 2 | 3;
  const size = tg === 0 || bytes !== granuleBytes ? 0 : (num + 1) * 2 ** (5 * scale + 1) * bytes;
  return { ipa, size, ttl };
}
