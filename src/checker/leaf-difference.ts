/**
 * In what two leaves differ, by the names of their attributes: what a sentence says in place of two
 * numbers, and what a size change may not change beside the size (R_PVTFW).
 */
import { assertNever } from '../arch/assert.ts';
import {
  attributesOf,
  type Descriptor,
  type LeafAttributes,
  memoryTypeName,
  outputAddress,
  shareabilityName,
} from '../arch/descriptor.ts';
import type { Geometry, Level } from '../arch/geometry.ts';

/** The attributes that sentences name, in this order. nT and the software bits have rules of their own. */
const NAMED = ['memAttr', 'sh', 'read', 'write', 'xn', 'contiguous', 'af', 'dbm'] as const;
type Named = (typeof NAMED)[number];

/** What hardware itself may set in a leaf (FEAT_HAFDBS). */
const STATE: ReadonlySet<Named> = new Set(['af', 'write']);

function nameOf(name: Named, has: LeafAttributes, wanted: LeafAttributes): string {
  switch (name) {
    case 'memAttr':
      return `memory type (${memoryTypeName(has.memAttr)} instead of ${memoryTypeName(wanted.memAttr)})`;
    case 'sh':
      return `shareability (${shareabilityName(has.sh)} instead of ${shareabilityName(wanted.sh)})`;
    case 'read':
      return 'read permission';
    case 'write':
      return 'write permission';
    case 'xn':
      return 'execute-never';
    case 'contiguous':
      return 'Contiguous bit';
    case 'af':
      return 'access flag';
    case 'dbm':
      return 'DBM';
    default:
      return assertNever(name);
  }
}

/** A leaf and its level. */
export interface LeveledLeaf {
  readonly d: Descriptor;
  readonly level: Level;
}

/** Names of the attributes in which `has` differs from `wanted`; where DBM is set, not of its state. */
export function differingAttributes(has: LeveledLeaf, wanted: LeveledLeaf): string[] {
  const a = attributesOf(has.d, has.level);
  const b = attributesOf(wanted.d, wanted.level);
  return NAMED.filter((name) => a[name] !== b[name])
    .filter((name) => !(a.dbm && b.dbm && STATE.has(name)))
    .map((name) => nameOf(name, a, b));
}

const hex = (n: number): string => `0x${n.toString(16)}`;

/** `maps 0x… instead of 0x…` or `differs … in memory type`; null if there is no difference. */
export function leafDifference(
  g: Geometry,
  has: LeveledLeaf,
  wanted: LeveledLeaf & { readonly pa: number },
): string | null {
  const at = outputAddress(g, has.d, has.level);
  if (at !== wanted.pa) return `maps ${hex(at)} instead of ${hex(wanted.pa)}`;
  const names = differingAttributes(has, wanted);
  return names.length === 0 ? null : `differs from the wanted block in ${names.join(', ')}`;
}

/**
 * What a direct size change from leaves that map what `before` maps to `after`, one leaf that covers
 * them, changes beside the size. The access flag may change with it: an entry whose flag is clear is
 * in no TLB.
 */
export function changedBesideSize(g: Geometry, after: LeveledLeaf, before: LeveledLeaf): string[] {
  const moved = outputAddress(g, after.d, after.level) !== outputAddress(g, before.d, before.level);
  const others = differingAttributes(after, before).filter((name) => name !== 'access flag');
  return moved ? ['output address', ...others] : others;
}
