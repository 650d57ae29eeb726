/**
 * What walkers with FEAT_HAFDBS make of leaves: they set the access flag instead of faulting, and
 * behind a store to a writable-clean leaf (DBM set, S2AP[1] clear) S2AP[1], which makes it dirty
 * (R_RTBRL). The update is atomic; the software bits stay, so a leaf keeps its version.
 *
 *   AF=0 clean ──load──> clean ──store──> dirty
 *        └──────────store───────────────────┘
 */
import { AF, DBM, type Descriptor, isLeaf, S2AP_W } from '../../../arch/descriptor.ts';
import type { MemoryMap } from './memory-map.ts';

/** The bits that only say what became of a leaf. */
export const HARDWARE_STATE = AF | S2AP_W;

/** Leaf `d` as a walker leaves it behind an access: `d` itself if there is nothing to set. */
export function afterAccess(d: Descriptor, isStore: boolean): Descriptor {
  const dirty = isStore && (d & DBM) !== 0n ? S2AP_W : 0n;
  return d | AF | dirty;
}

/** Did walkers make `found` of `before`, or leave it? */
export function isUpdateOf(before: Descriptor, found: Descriptor): boolean {
  return (
    found === before || found === afterAccess(before, false) || found === afterAccess(before, true)
  );
}

/** Is it the foreign leaf `leaf`, whatever walkers have set in it? */
export function isForeign(d: Descriptor, leaf: Descriptor): boolean {
  const ignored = HARDWARE_STATE | DBM;
  return (d & ~ignored) === (leaf & ~ignored);
}

/** What `location` may hold once it held `d`, by walkers alone: `d` first. */
export function heldAfter(map: MemoryMap, location: number, d: Descriptor): readonly Descriptor[] {
  if (!map.hafdbs || !isLeafAt(map.at(location), location, d)) return [d];
  return [...new Set([d, afterAccess(d, false), afterAccess(d, true)])];
}

/** Blocks below the target and pages; a table of a small granule is told from a page by where it points. */
function isLeafAt(map: MemoryMap, location: number, d: Descriptor): boolean {
  if (location === map.lock) return false;
  if (location === map.target) return isLeaf(d, map.level);
  // Below a level 2 target there are pages only, wherever they point.
  if (map.level === 2) return isLeaf(d, 3);
  return (isLeaf(d, 3) && !map.isTableAddress(d)) || isLeaf(d, 2);
}
