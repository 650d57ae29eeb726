/** Places, descriptors and operations of the small machine in words. */
import { describeDescriptor, type Descriptor, isTable } from '../../arch/descriptor.ts';
import { childLevel, type Level } from '../../arch/geometry.ts';
import { GEOMETRY, LOCK_FREE, type MemoryMap, REUSED, TARGET } from './memory-map.ts';

/** `entry`, `table 0[1]`, `lock`. */
export function placeName(map: MemoryMap, location: number): string {
  if (location === TARGET) return 'entry';
  if (location === map.lock) return 'lock';
  const table = map.tableOf(location);
  if (table === null) return `location ${location}`;
  return `table ${table}[${location - map.entryOf(table, 0)}]`;
}

/**
 * A descriptor at a place. Its level matters for tables and blocks only, and both kinds of table
 * entry say themselves what they are, so the level below the region's is right for all of `tiny`.
 */
export function valueText(map: MemoryMap, location: number, d: Descriptor): string {
  if (location === map.lock) return d === LOCK_FREE ? 'free' : 'held';
  if (location === TARGET) return describeEntry(map, d, map.level);
  if (d === REUSED) return "another user's data";
  const below = childLevel(map.level);
  const pointsOn = below < 3 && isTable(d, below) && map.isTableAddress(d);
  return describeEntry(map, d, pointsOn ? below : 3);
}

function describeEntry(map: MemoryMap, d: Descriptor, level: Level): string {
  return isTable(d, level) ? `table ${map.follow(d)}` : describeDescriptor(GEOMETRY, d, level);
}
