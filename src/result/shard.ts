/**
 * A campaign in parts: shard `index` of `count`, counted from 1. Every shard works out the same
 * list of items and takes its own stretch of it, so that the shards together are the campaign,
 * whatever their number, and results put side by side in the order of shards are in the order of
 * one run.
 */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * The items of one shard: consecutive ones, so that what is measured side by side stays together as
 * far as it can. Stretches differ in length by one at most.
 */
export function itemsOfShard<T>(items: readonly T[], shard: Shard | null): readonly T[] {
  if (shard === null) return items;
  const cut = (index: number): number => Math.floor((index * items.length) / shard.count);
  return items.slice(cut(shard.index - 1), cut(shard.index));
}

/** `2/4`, as it is written on the command line. */
export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`;
}
