import { describe, expect, it } from 'vitest';
import { parseShard, shardOf } from '../../src/cli/flags/shard.ts';
import { refuseEmptyShard } from '../../src/request/shard.ts';

const slurm = (id: number, min: number, max: number, count: number, step = 1) => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_MAX: String(max),
  SLURM_ARRAY_TASK_COUNT: String(count),
  SLURM_ARRAY_TASK_STEP: String(step),
});

describe('--shard', () => {
  it('is i/n, or auto', () => {
    expect(parseShard('2/4')).toEqual({ index: 2, count: 4 });
    expect(parseShard('auto')).toBe('auto');
    expect(shardOf(undefined, {})).toBeNull();
    expect(shardOf({ index: 1, count: 2 }, {})).toEqual({ index: 1, count: 2 });
  });

  it.each(['0/4', '5/4', '1/0', '1', '1/', '/2', 'a/b', '-1/2', '1/2/3', '1/200000', ''])(
    'is not %j',
    (text) => {
      expect(() => parseShard(text)).toThrow(/is not i\/n|are counted from 1/);
    },
  );
});

describe('--shard auto', () => {
  it.each([
    [{ SHARD_INDEX: '2', SHARD_COUNT: '3' }, 2, 3],
    [{ JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '4' }, 1, 4],
    [{ CI_NODE_INDEX: '4', CI_NODE_TOTAL: '4' }, 4, 4],
    [{ BUILDKITE_PARALLEL_JOB: '1', BUILDKITE_PARALLEL_JOB_COUNT: '2' }, 2, 2],
    [{ CIRCLE_NODE_INDEX: '0', CIRCLE_NODE_TOTAL: '1' }, 1, 1],
    [slurm(0, 0, 7, 8), 1, 8],
    [slurm(5, 1, 9, 5, 2), 3, 5],
    [{ ...slurm(1, 1, 4, 4), SHARD_INDEX: '2', SHARD_COUNT: '3' }, 2, 3],
  ])('%j', (env, index, count) => {
    expect(shardOf('auto', env)).toEqual({ index, count });
  });

  it.each([
    [{}, 'auto finds none of SLURM_ARRAY_TASK_ID, SHARD_INDEX'],
    [
      { JOB_COMPLETION_INDEX: '0' },
      'finds JOB_COMPLETION_INDEX of Kubernetes but no JOB_COMPLETIONS',
    ],
    [{ SHARD_INDEX: '0', SHARD_COUNT: '3' }, 'are counted from 1'],
    [{ CI_NODE_INDEX: 'x', CI_NODE_TOTAL: '3' }, 'CI_NODE_INDEX="x" is not a whole number'],
    // --array=1,5,7: which of the three is task 5?
    [slurm(5, 1, 7, 3), 'not one range'],
  ])('%j is refused', (env, why) => {
    expect(() => shardOf('auto', env)).toThrow(why);
  });
});

it('a shard without work is refused', () => {
  expect(() => refuseEmptyShard({ index: 1, count: 4 }, 3, 'rows')).toThrow('4 shards of 3 rows');
  expect(() => refuseEmptyShard({ index: 1, count: 3 }, 3, 'rows')).not.toThrow();
  expect(() => refuseEmptyShard(null, 0, 'rows')).not.toThrow();
});
