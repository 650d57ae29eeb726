/** A refusal is one sentence for two readers: fields for callers of the library, flags for who typed them. */
import { describe, expect, it } from 'vitest';
import { EXPLORE_FLAGS } from '../../src/cli/commands/explore/flags.ts';
import { STRESS_FLAGS } from '../../src/cli/commands/stress/flags.ts';
import { inFlags, requestOf } from '../../src/cli/flags/request.ts';
import { about, refusal, the } from '../../src/request/refusal.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { type StressRequest, stressOptions } from '../../src/request/stress.ts';
import { UsageError } from '../../src/request/usage-error.ts';
import { blank, readSources } from '../architecture/source-files.ts';

const thrown = async (action: () => unknown): Promise<string> => {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

const REFUSED: readonly (readonly [StressRequest, inFields: string, inFlags: string])[] = [
  [
    { rounds: 1, repeats: 2 },
    'repeats 2 share rounds 1: give at least 2 rounds, or fewer repeats',
    '--repeats 2 share --rounds 1: give at least 2 rounds, or fewer repeats',
  ],
  [
    { levels: [2], vcpus: [1], timeMs: 2000, repeats: 9 },
    'repeats 9 make 9 starts of threads, too many for 2 s: give at least timeMs 4000, or repeats 5',
    '--repeats 9 make 9 starts of threads, too many for 2 s: give at least --time 4s, or --repeats 5',
  ],
  [
    { granule: '64k', levels: [1] },
    'levels 1 does not go with granule 64k, which has blocks at level 2 only',
    '--level 1 does not go with --granule 64k, which has blocks at level 2 only',
  ],
  [
    { mutants: ['no-tlb'] },
    'mutants: there is no mutant "no-tlb" (did you mean no-tlbi?)',
    '--mutant: there is no mutant "no-tlb" (did you mean no-tlbi?)',
  ],
  [
    { shard: { index: 1, count: 9 }, protocols: ['bbm-late'], vcpus: [1] },
    'shard: 9 shards of 1 rows leave some without work; give at most 1',
    '--shard: 9 shards of 1 rows leave some without work; give at most 1',
  ],
];

describe('what is refused of a request', () => {
  it.each(REFUSED)('%j', async (request, inFields, flags) => {
    const refuse = () => stressOptions(request, BUILT_IN);
    expect(await thrown(refuse)).toBe(inFields);
    expect(await thrown(() => inFlags(STRESS_FLAGS, refuse))).toBe(flags);
  });

  it('is found in what was refused of a field', async () => {
    const nested = (): never => {
      throw refusal`${the('levels', 1)} is
        ${refusal`not ${the('levels', 2)}`}`;
    };
    expect(await thrown(() => about('cpu', nested))).toBe('cpu: levels 1 is not levels 2');
    expect(await thrown(() => inFlags(STRESS_FLAGS, () => about('cpu', nested)))).toBe(
      '--cpu: --level 1 is not --level 2',
    );
    const plain = (): never => {
      throw new UsageError('wrong');
    };
    expect(await thrown(() => inFlags(STRESS_FLAGS, () => about('seed', plain)))).toBe(
      '--seed: wrong',
    );
  });
});

it('a request has the fields of the flags that were given, and nothing else', () => {
  const flags = { vcpus: [2], 'fail-fast': true, time: 500, quiet: true, json: '-' };
  expect(requestOf(STRESS_FLAGS, flags)).toEqual({ vcpus: [2], failFast: true, timeMs: 500 });
});

it.each([
  ['stress', STRESS_FLAGS],
  ['explore', EXPLORE_FLAGS],
])('no two flags of %s fill in one field', (_, table) => {
  const fields = Object.values(table).flatMap(({ field }) => field ?? []);
  expect(new Set(fields).size).toBe(fields.length);
});

it('no sentence of a request knows a flag', () => {
  const sources = readSources('src/request').filter(({ path }) => !path.endsWith('refusal.ts'));
  expect(sources.length).toBeGreaterThan(10);
  for (const file of sources) {
    const flags = blank(file.text, 'imports').match(/(?<=['"`\s])--[a-z][a-z-]+/g) ?? [];
    // Node's own, which finds the line of a syntax error.
    expect([file.path, flags.filter((flag) => flag !== '--check')]).toEqual([file.path, []]);
  }
});
