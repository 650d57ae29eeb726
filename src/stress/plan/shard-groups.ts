/**
 * The groups of one shard. Rows are dealt in their order, so that a shard has whole groups where it
 * can: protocols in one group are measured in turns and may be compared; where a group is cut, the
 * comparison is between processes, and perhaps machines.
 */
import { itemsOfShard, type Shard } from '../../result/shard.ts';
import type { PlannedGroup } from './planned-group.ts';

export function groupsOfShard(
  groups: readonly PlannedGroup[],
  shard: Shard | null,
): readonly PlannedGroup[] {
  if (shard === null) return groups;
  const rows = groups.flatMap((group) => group.items.map((item) => ({ group, item })));
  const own = Map.groupBy(itemsOfShard(rows, shard), ({ group }) => group);
  return [...own].map(([group, taken]) => ({
    ...group,
    items: taken.map(({ item }) => item),
    weight: (group.weight * taken.length) / group.items.length,
  }));
}

export function rowCount(groups: readonly PlannedGroup[]): number {
  return groups.reduce((sum, { items }) => sum + items.length, 0);
}
