/** A part of what is asked for, which must have something to do. */
import type { Shard } from '../result/shard.ts';
import { refusal, the } from './refusal.ts';

/** A shard without a part of the work would report a pass about nothing. */
export function refuseEmptyShard(shard: Shard | null, items: number, what: string): void {
  if (shard === null || shard.count <= items) return;
  throw refusal`${the('shard')}: ${shard.count} shards of ${items} ${what} leave some without work;
    give at most ${items}`;
}
