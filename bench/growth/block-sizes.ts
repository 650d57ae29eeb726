/** Blocks from 2 MiB to 1 GiB as places: what a granule and a level make of an entry. */
import { entrySize, geometryOf, pagesPerEntry } from '../../src/arch/geometry.ts';
import type { GuestMemory } from '../../src/stress/thread/vcpu-alone.ts';
import type { Place } from './growth.ts';

type BlockSize = Pick<GuestMemory, 'granule' | 'level'>;

const BLOCK_SIZES: readonly BlockSize[] = [
  { granule: '4k', level: 2 },
  { granule: '16k', level: 2 },
  { granule: '64k', level: 2 },
  { granule: '4k', level: 1 },
];

export const pagesOf = ({ granule, level }: BlockSize): number =>
  pagesPerEntry(geometryOf(granule), level);

/** Pages of the block of 1 GiB. */
export const GIB_PAGES = pagesOf({ granule: '4k', level: 1 });

/** x: pages of the block, which is how many entries its subtree has at level 3. */
export const BLOCK_PLACES: readonly Place[] = BLOCK_SIZES.map((size) => ({
  variant: `${size.granule} level ${size.level}`,
  x: pagesOf(size),
  label: `${size.granule}, ${bytesText(size)}`,
}));

export function blockSizeOf(variant: string): BlockSize {
  const at = BLOCK_PLACES.findIndex((place) => place.variant === variant);
  const size = BLOCK_SIZES[at];
  if (size === undefined) throw new Error(`no block size is called ${variant}`);
  return size;
}

function bytesText({ granule, level }: BlockSize): string {
  const mib = entrySize(geometryOf(granule), level) / 2 ** 20;
  return mib >= 1024 ? `${mib / 1024} GiB` : `${mib} MiB`;
}
