/**
 * TLBI operations of EL1&0 stage 2 and what each must remove (DDI 0487 D8.17).
 *
 * Three structures are told apart because real bugs live in the difference:
 *   combined   stage 1 and 2 in one entry; IPAS2 operations need not touch it (R_VZZVZ, R_TVTYQ)
 *   stage2     stage-2-only entries; VMALLE1 does not cover it
 *   walk       intermediate stage-2 levels ("TLB entry" includes them, R_RVJDB)
 * hence the mandatory pair IPAS2E1 ; DSB ; VMALLE1 even with stage 1 off (I_CKZGP, I_RGYNM).
 */
import { assert } from './assert.ts';
import { entrySize, type Geometry, type Granule, type Level } from './geometry.ts';

export const TLBI_KINDS = [
  'vmalls12e1is',
  'vmalle1is',
  'ipas2e1is',
  'ipas2le1is',
  'ripas2e1is',
  'alle1is',
  'vmalls12e1',
  'vmalle1',
  'ipas2e1',
  'ipas2le1',
  'ripas2e1',
  'alle1',
  'ripas2le1is',
  'ripas2le1',
] as const;
export type TlbiKind = (typeof TLBI_KINDS)[number];

export type TlbStructure = 'combined' | 'stage2' | 'walk';

/** One TLBI instruction with its operand. Addresses are IPAs in bytes. */
export interface TlbiOp {
  readonly kind: TlbiKind;
  /** By-address and range forms: any IPA of the page, or the base of the range. */
  readonly ipa?: number;
  /**
   * Range form: bytes. The architecture encodes (NUM+1)·2^(5·SCALE+1) granules; the harness takes
   * the result.
   */
  readonly size?: number;
  /**
   * TTL: the level of the *leaf* the entries come from (I_LTZBK); 0 or absent is "any". Wrong hint:
   * R_SQXYZ.
   */
  readonly ttl?: 0 | 1 | 2 | 3;
  /** The granule that the hint names; absent means the table's own. Another is a wrong hint, too. */
  readonly granule?: Granule;
  /** VMID; absent means that of the VM whose table is being changed. */
  readonly vmid?: number;
  /** The regime it acts on where that is not EL1&0, a guest's: what HCR_EL2.TGE makes of it (context.ts). */
  readonly regime?: 'el2&0';
}

type Scope = 'address' | 'range' | 'vmid' | 'all';

interface KindFacts {
  readonly scope: Scope;
  readonly broadcast: boolean;
  readonly lastLevelOnly: boolean;
  readonly structures: readonly TlbStructure[];
}

const STAGE2: readonly TlbStructure[] = ['stage2', 'walk'];
const COMBINED: readonly TlbStructure[] = ['combined'];
const EVERYTHING: readonly TlbStructure[] = ['combined', 'stage2', 'walk'];

const facts = (
  scope: Scope,
  broadcast: boolean,
  structures: readonly TlbStructure[],
  lastLevelOnly = false,
): KindFacts => ({ scope, broadcast, structures, lastLevelOnly });

const KIND_FACTS: Readonly<Record<TlbiKind, KindFacts>> = {
  vmalls12e1is: facts('vmid', true, EVERYTHING),
  vmalls12e1: facts('vmid', false, EVERYTHING),
  vmalle1is: facts('vmid', true, COMBINED),
  vmalle1: facts('vmid', false, COMBINED),
  ipas2e1is: facts('address', true, STAGE2),
  ipas2e1: facts('address', false, STAGE2),
  ipas2le1is: facts('address', true, STAGE2, true),
  ipas2le1: facts('address', false, STAGE2, true),
  ripas2e1is: facts('range', true, STAGE2),
  ripas2e1: facts('range', false, STAGE2),
  alle1is: facts('all', true, EVERYTHING),
  alle1: facts('all', false, EVERYTHING),
  ripas2le1is: facts('range', true, STAGE2, true),
  ripas2le1: facts('range', false, STAGE2, true),
};

/** Inner Shareable forms reach every PE; the others only the PE that issues them. */
export function isBroadcast(kind: TlbiKind): boolean {
  return KIND_FACTS[kind].broadcast;
}

export function scopeOf(kind: TlbiKind): Scope {
  return KIND_FACTS[kind].scope;
}

export function isLastLevelOnly(kind: TlbiKind): boolean {
  return KIND_FACTS[kind].lastLevelOnly;
}

export function reaches(kind: TlbiKind, structure: TlbStructure): boolean {
  return KIND_FACTS[kind].structures.includes(structure);
}

/** A TLB entry as a TLBI sees it. */
export interface TlbEntryView {
  readonly structure: TlbStructure;
  readonly vmid: number;
  /** First IPA it translates, in bytes. */
  readonly ipa: number;
  /**
   * Level of the descriptor it holds: for `combined` and `stage2` that of the leaf; for `walk` that
   * of the table descriptor (an entry of level 2 points to a level-3 table).
   */
  readonly level: Level;
}

/**
 * Must `op` remove `entry`? `vmVmid` is the VMID an operation without its own uses.
 *
 * A hint names the leaf's level, so an operation with TTL=n reaches leaves of level n and the
 * intermediate entries above them, and nothing else need go (R_SQXYZ). That is why the level of a
 * *table* entry is a wrong hint when the table is zapped: its own walk-cache entry lies at that
 * level and its leaves below (kernel commit 36e008323926).
 */
export function mustInvalidate(
  g: Geometry,
  op: TlbiOp,
  entry: TlbEntryView,
  vmVmid: number,
): boolean {
  const kind = KIND_FACTS[op.kind];
  if (op.regime !== undefined || !kind.structures.includes(entry.structure)) return false;
  if (kind.scope === 'all') return true;
  if (entry.vmid !== (op.vmid ?? vmVmid)) return false;
  if (kind.scope === 'vmid') return true;
  assert(op.ipa !== undefined, `${op.kind} needs an IPA`);
  if (kind.lastLevelOnly && entry.structure === 'walk') return false;
  if (op.ttl !== undefined && op.ttl !== 0) {
    if (op.granule !== undefined && op.granule !== g.granule) return false;
    if (entry.structure === 'walk' ? entry.level >= op.ttl : entry.level !== op.ttl) return false;
  }
  const size = kind.scope === 'range' ? (op.size ?? 0) : 1;
  // NUM and SCALE cannot say "nothing"; a protocol that forgets the size invalidates nothing.
  if (size <= 0) return false;
  return op.ipa < entry.ipa + entrySize(g, entry.level) && entry.ipa < op.ipa + size;
}

/** `TLBI IPAS2E1IS 0x40000000 ttl=2`, as the reports print it. */
export function describeTlbi(op: TlbiOp): string {
  const parts = [`TLBI ${op.kind.toUpperCase()}`];
  if (op.ipa !== undefined) parts.push(`0x${op.ipa.toString(16)}`);
  if (op.size !== undefined) parts.push(`+0x${op.size.toString(16)}`);
  if (op.ttl) parts.push(`ttl=${op.ttl}`);
  if (op.vmid !== undefined) parts.push(`vmid=${op.vmid}`);
  if (op.regime !== undefined) parts.push(`of ${op.regime.toUpperCase()}`);
  return parts.join(' ');
}
