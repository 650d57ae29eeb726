import fc from 'fast-check';
import { expect, it } from 'vitest';
import { itemsOfShard, shardText } from '../../src/result/shard.ts';

const shards = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ index: i + 1, count }));

it('the shards together are the whole, in its order, whatever their number', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 50 }), (items, count) => {
      expect(shards(count).flatMap((shard) => itemsOfShard(items, shard))).toEqual(items);
    }),
  );
});

it('none has two items more than another', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 50 }), (length, count) => {
      const items = Array.from({ length });
      const sizes = shards(count).map((shard) => itemsOfShard(items, shard).length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

it('no shard is everything', () => {
  expect(itemsOfShard([1, 2, 3], null)).toEqual([1, 2, 3]);
  expect(shardText({ index: 2, count: 4 })).toBe('2/4');
});
