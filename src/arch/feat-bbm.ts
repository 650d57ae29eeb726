/**
 * FEAT_BBM (ARMv8.4-TTRem): ID_AA64MMFR2_EL1.BBM of each PE and what the whole system may rely on.
 *
 * A table is shared by every PE that may walk it, so software may use only what the least capable
 * one supports: the sanitised level is the minimum over PEs (RFC of 2021-01-26, patches 1/5 and
 * 2/5; arm64 cpufeature FTR_LOWER_SAFE).
 */
import { assert } from './assert.ts';
import type { Geometry, Level } from './geometry.ts';
import { attributesOf, type Descriptor, outputAddress, typeOf } from './descriptor.ts';

/**
 * 0 break-before-make, 1 nT, 2 direct replacement with possible conflict aborts, 3 direct and never
 * aborts.
 */
export const BBM_LEVELS = [0, 1, 2, 3] as const;
export type BbmLevel = (typeof BBM_LEVELS)[number];

/** ID_AA64MMFR2_EL1.BBM is bits [55:52]. */
const BBM_SHIFT = 52n;

/**
 * The BBM level a raw ID_AA64MMFR2_EL1 announces. ID fields only grow, so an unknown value above 3
 * promises at least what 3 does; the RFC returned -EINVAL for it after it had invalidated the entry
 * (`unknown-bbm-abort` of docs/bugs.md).
 */
export function bbmLevelOf(idAa64Mmfr2: bigint): BbmLevel {
  const field = Number((idAa64Mmfr2 >> BBM_SHIFT) & 0xfn);
  return Math.min(field, 3) as BbmLevel;
}

/** The register value of a PE with BBM field `field` (0 to 15) and nothing else set. */
export function idAa64Mmfr2(field: number): bigint {
  assert(
    Number.isInteger(field) && field >= 0 && field <= 15,
    `BBM field ${field} is not within 0 to 15`,
  );
  return BigInt(field) << BBM_SHIFT;
}

/** The level all PEs together support: the minimum. Needs at least one PE. */
export function sanitisedBbmLevel(perPe: readonly bigint[]): BbmLevel {
  assert(perPe.length > 0, 'a system has at least one PE');
  return Math.min(...perPe.map(bbmLevelOf)) as BbmLevel;
}

/** How a change from one valid descriptor to another may be made. */
export type ChangeRule =
  /** Nothing that needs care, or permissions only (R_GPPYH: a TLBI makes it visible). */
  | 'direct'
  /** A size change: nT sequence at level 1, direct at 2 and 3 (R_KFLJB). */
  | 'size-change'
  /**
   * Address, memory type or shareability differ: break-before-make whatever the level (R_WHZWS,
   * R_PVTFW).
   */
  | 'break-before-make';

/**
 * Which rule governs replacing `before` by `after` in one entry of `level`. A table is taken to map
 * what the block would: whether its children really do is checked where they are written.
 */
export function changeRule(
  g: Geometry,
  level: Level,
  before: Descriptor,
  after: Descriptor,
): ChangeRule {
  const from = typeOf(before, level);
  const to = typeOf(after, level);
  if (from === 'invalid' || from === 'reserved' || to === 'invalid' || to === 'reserved')
    return 'direct';
  if (from !== to) return 'size-change';
  if (from === 'table') return before === after ? 'direct' : 'break-before-make';
  const a = attributesOf(before, level);
  const b = attributesOf(after, level);
  const same =
    outputAddress(g, before, level) === outputAddress(g, after, level) &&
    a.memAttr === b.memAttr &&
    a.sh === b.sh;
  if (!same) return 'break-before-make';
  return a.contiguous === b.contiguous ? 'direct' : 'size-change';
}
