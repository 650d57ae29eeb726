/**
 * `--shard i/n|auto`: which part of a campaign this process is. `auto` asks the environment of the
 * schedulers that start one process per shard.
 */
import type { Shard } from '../../result/shard.ts';
import { UsageError } from '../../request/usage-error.ts';

export type ShardChoice = Shard | 'auto';

/** More would leave shards so small that starting them is all they do. */
const SHARDS_MAX = 100_000;

export function parseShard(text: string): ShardChoice {
  if (text === 'auto') return text;
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (index === undefined || count === undefined)
    throw new UsageError(`"${text}" is not i/n, such as 2/4, or auto`);
  return shardFrom(Number(index), Number(count), text);
}

function shardFrom(index: number, count: number, said: string): Shard {
  if (count < 1 || count > SHARDS_MAX || index < 1 || index > count) {
    throw new UsageError(
      `${said}: shards are counted from 1 to their number, at most ${SHARDS_MAX}`,
    );
  }
  return { index, count };
}

type Env = Readonly<Record<string, string | undefined>>;

/** Where a scheduler says which of how many this is; `first` is what it calls the first one. */
interface Source {
  readonly who: string;
  readonly index: string;
  readonly count: string;
  readonly first: 0 | 1;
}

const SOURCES: readonly Source[] = [
  { who: 'your own', index: 'SHARD_INDEX', count: 'SHARD_COUNT', first: 1 },
  // Kubernetes names the index only; the manifest has to pass on spec.completions.
  { who: 'Kubernetes', index: 'JOB_COMPLETION_INDEX', count: 'JOB_COMPLETIONS', first: 0 },
  { who: 'GitLab', index: 'CI_NODE_INDEX', count: 'CI_NODE_TOTAL', first: 1 },
  {
    who: 'Buildkite',
    index: 'BUILDKITE_PARALLEL_JOB',
    count: 'BUILDKITE_PARALLEL_JOB_COUNT',
    first: 0,
  },
  { who: 'CircleCI', index: 'CIRCLE_NODE_INDEX', count: 'CIRCLE_NODE_TOTAL', first: 0 },
];

const SLURM_INDEX = 'SLURM_ARRAY_TASK_ID';

/** The shard meant; null without the flag. Throws a usage error if nothing says what `auto` is. */
export function shardOf(choice: ShardChoice | undefined, env: Env = process.env): Shard | null {
  if (choice === undefined) return null;
  if (choice !== 'auto') return choice;
  if (isSet(env, SLURM_INDEX) && !isSet(env, 'SHARD_INDEX')) return slurmShard(env);
  const source = SOURCES.find(({ index }) => isSet(env, index));
  if (source === undefined) {
    const names = [SLURM_INDEX, ...SOURCES.map(({ index }) => index)].join(', ');
    throw new UsageError(`--shard: auto finds none of ${names}; give i/n`);
  }
  const { who, index, count, first } = source;
  if (!isSet(env, count))
    throw new UsageError(`--shard: auto finds ${index} of ${who} but no ${count}; set it`);
  const at = numberIn(env, index) + 1 - first;
  return shardFrom(
    at,
    numberIn(env, count),
    `--shard: auto: ${index}=${env[index]}, ${count}=${env[count]}`,
  );
}

/** `--array=MIN-MAX:STEP`. A list with gaps has no number that says which of them this is. */
function slurmShard(env: Env): Shard {
  const id = numberIn(env, SLURM_INDEX);
  const min = numberIn(env, 'SLURM_ARRAY_TASK_MIN');
  const max = numberIn(env, 'SLURM_ARRAY_TASK_MAX');
  const step = isSet(env, 'SLURM_ARRAY_TASK_STEP') ? numberIn(env, 'SLURM_ARRAY_TASK_STEP') : 1;
  const count = (max - min) / step + 1;
  const index = (id - min) / step + 1;
  if (numberIn(env, 'SLURM_ARRAY_TASK_COUNT') !== count || !Number.isInteger(index)) {
    throw new UsageError(
      `--shard: auto: the Slurm array is not one range, such as --array=1-4; give --shard i/n`,
    );
  }
  return shardFrom(index, count, `--shard: auto: Slurm task ${id} of ${min} to ${max}`);
}

function isSet(env: Env, name: string): boolean {
  return (env[name] ?? '') !== '';
}

function numberIn(env: Env, name: string): number {
  const text = env[name] ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--shard: auto: ${name}="${text}" is not a whole number`);
}
