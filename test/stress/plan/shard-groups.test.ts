import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { BUILT_IN } from '../../../src/request/registry.ts';
import { STRESS_FLAGS, stressOptionsOf } from '../../../src/cli/commands/stress/flags.ts';
import { planGroups } from '../../../src/stress/plan/portfolio.ts';
import { groupsOfShard, rowCount } from '../../../src/stress/plan/shard-groups.ts';

const plan = async (...args: string[]) =>
  planGroups(await stressOptionsOf(parseCommandLine('stress', STRESS_FLAGS, args), BUILT_IN));
type Groups = Awaited<ReturnType<typeof plan>>;
const rowsOf = (groups: Groups): string[] =>
  groups.flatMap((group) =>
    group.items.map(
      (planned) => `${group.label} ${planned.protocol.name} ${JSON.stringify(planned.item.cpu)}`,
    ),
  );

describe('shards of a campaign', () => {
  it.each([1, 2, 3, 7, 20])('are together the whole portfolio, %i of them', async (count) => {
    const whole = await plan();
    const parts = Array.from({ length: count }, (_, i) =>
      groupsOfShard(whole, { index: i + 1, count }),
    );
    expect(parts.flatMap(rowsOf)).toEqual(rowsOf(whole));
    expect(parts.every((part) => part.length > 0)).toBe(true);
  });

  it('keep groups whole where they can, and their time in proportion', async () => {
    const whole = await plan('--protocol', 'bbm-late,bbm-early', '--vcpus', '1,2');
    const [first, second] = [1, 2].map((index) => groupsOfShard(whole, { index, count: 2 }));
    expect(first?.map(({ vcpus, items }) => [vcpus, items.length])).toEqual([[1, 2]]);
    expect(second?.map(({ vcpus, items }) => [vcpus, items.length])).toEqual([[2, 2]]);
    const quarters = [1, 2, 3, 4].map((index) => groupsOfShard(whole, { index, count: 4 })[0]);
    expect(quarters.map((group) => group?.weight)).toEqual(
      [whole[0], whole[0], whole[1], whole[1]].map((group) => (group?.weight ?? 0) / 2),
    );
  });

  it('do not depend on the seed', async () => {
    const shard = { index: 2, count: 3 };
    const [a, b] = [await plan('--seed', '1'), await plan('--seed', '2')];
    expect(rowsOf(groupsOfShard(a, shard))).toEqual(rowsOf(groupsOfShard(b, shard)));
  });

  it('no shard is everything', async () => {
    const whole = await plan();
    expect(groupsOfShard(whole, null)).toBe(whole);
    expect(rowCount(whole)).toBe(rowsOf(whole).length);
  });
});
