/**
 * Two sizes for one address: a block, and what TLBs may hold of leaves at deeper levels. Where
 * FEAT_BBM allows that, nothing but the size may change (R_PVTFW, R_WHZWS).
 */
import { type Descriptor, hasNt, outputAddress, typeOf } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { differingAttributes } from '../../checker/leaf-difference.ts';
import type { Leaf } from '../tables/forest.ts';
import { type EntryPlace, hex } from '../tables/tree.ts';
import type { Stale } from './stale-set.ts';

/**
 * Names of what differs between a block and leaves at deeper levels. The access flag may: an entry
 * whose flag is clear is in no TLB.
 */
export function besideSize(
  block: Descriptor,
  { page, level, ipa, size }: EntryPlace,
  leaves: readonly Leaf[],
): string[] {
  const { geometry } = page.tree.shape;
  const first = outputAddress(geometry, block, level) - ipa;
  const below = leaves.filter((leaf) => leaf.ipa < ipa + size && ipa < leaf.ipa + leaf.size);
  const names = below.flatMap((leaf) => [
    ...(outputAddress(geometry, leaf.d, leaf.level) === first + leaf.ipa ? [] : ['output address']),
    ...differingAttributes({ d: block, level }, leaf).filter((name) => name !== 'access flag'),
  ]);
  return [...new Set(names)];
}

/**
 * Why `block` may not be stored at `place` because of what is stale below it, in a table that is no
 * part of the tree any more; null if it may.
 */
export function sizeConflict(
  { place: below, automaton }: Pick<Stale, 'place' | 'automaton'>,
  block: Descriptor,
  place: EntryPlace,
  bbm: BbmLevel,
): string | null {
  const { level, ipa, size } = below;
  const types = automaton.olds.map((old) => typeOf(old, level));
  const leaves = automaton.olds.filter((_, i) => types[i] !== 'table');
  const others = besideSize(
    block,
    place,
    leaves.map((d) => ({ d, level, ipa, size })),
  );
  const isDirect = bbm >= 2 || (bbm === 1 && hasNt(block, place.level));
  if (isDirect && others.length === 0) return null;
  const what = place.page.tree.regime === 'stage2' ? 'IPA' : 'VA';
  return (
    'a block was stored while what it takes the place of may still be cached ' +
    `(${[`${types[0]} to block`, ...others].join(', ')}, BBM level ${bbm}; ` +
    `${what} ${hex(ipa)} to ${hex(ipa + size - 1)}): ${automaton.missing()}`
  );
}

/**
 * Why `leaves` may not become part of the tree while a block over them, at `above`, may still be
 * cached; null if they may.
 */
export function movedUnderBlock(
  { place: above, automaton }: Pick<Stale, 'place' | 'automaton'>,
  leaves: readonly Leaf[],
  bbm: BbmLevel,
): string | null {
  const blocks = automaton.olds.filter((old) => typeOf(old, above.level) === 'block');
  const names = blocks.flatMap((block) => besideSize(block, above, leaves));
  if (names.length === 0) return null;
  return (
    `valid stored while the block that the table replaced may still be cached ` +
    `(${[...new Set(names)].join(', ')}, BBM level ${bbm}): ${automaton.missing()}`
  );
}
