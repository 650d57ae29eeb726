/** The register operands of a log's events, decoded. */
import type { TlbiOp } from '../arch/tlbi.ts';

/** VTTBR_EL2.VMID, bits [63:48]. */
export function vmidOf(vttbr: bigint): number {
  return Number(vttbr >> 48n);
}

/**
 * Xt of a TLBI by IPA: IPA[51:12] in bits [39:0], TTL in [47:44], whose upper two bits are the
 * granule; where they are 0 there is no hint (DDI 0487, TLBI IPAS2E1IS).
 */
export function operandOf(value: bigint): Pick<TlbiOp, 'ipa' | 'ttl'> {
  const ipa = Number(value & 0xff_ffff_ffffn) * 4096;
  const hinted = ((value >> 46n) & 3n) !== 0n;
  const ttl = Number((value >> 44n) & 3n) as 0 | 1 | 2 | 3;
  return hinted ? { ipa, ttl } : { ipa };
}
