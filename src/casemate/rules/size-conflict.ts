/**
 * A leaf over addresses of which something may still be cached at a deeper level, in a table that is no part
 * of the tree any more: two sizes for one address (R_WHZWS), as if that entry itself became a leaf.
 */
import { attributesOf, hasNt, makeLeaf, outputAddress, typeOf } from '../../arch/descriptor.ts';
import type { Descriptor } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { changedBesideSize } from '../../checker/leaf-difference.ts';
import { type EntryPlace, hex } from '../tables/tree.ts';
import type { Stale } from './stale-set.ts';

/** Why `leaf` may not be stored at `place` because of what is stale below it; null if it may. */
export function sizeConflict(
  { place: below, automaton }: Pick<Stale, 'place' | 'automaton'>,
  leaf: Descriptor,
  place: EntryPlace,
  bbm: BbmLevel,
): string | null {
  const { geometry } = place.page.tree.shape;
  const from = outputAddress(geometry, leaf, place.level) + below.ipa - place.ipa;
  const attributes = { ...attributesOf(leaf, place.level), nT: false };
  const part = { d: makeLeaf(geometry, below.level, from, attributes), level: below.level };
  const types = automaton.olds.map((old) => typeOf(old, below.level));
  const others = automaton.olds
    .filter((_, i) => types[i] !== 'table')
    .flatMap((d) => changedBesideSize(geometry, part, { d, level: below.level }));
  const isDirect = bbm >= 2 || (bbm === 1 && hasNt(leaf, place.level));
  if (isDirect && others.length === 0) return null;
  const range = `${hex(below.ipa)} to ${hex(below.ipa + below.size - 1)}`;
  const what = place.page.tree.regime === 'stage2' ? 'IPA' : 'VA';
  const change = [`${types[0]} to block`, ...new Set(others)].join(', ');
  return (
    `a block was stored while what it takes the place of may still be cached (${change}, BBM level ` +
    `${bbm}; ${what} ${range}): ${automaton.missing()}`
  );
}
