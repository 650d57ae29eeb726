/** Searches beside each other: the results of one thread, and what becomes of a thread that does not come back. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Beside, type Patience, runBeside } from '../../src/exploration/beside.ts';
import { type ExplorationHooks, runExploration } from '../../src/exploration/index.ts';
import type { ThreadJob } from '../../src/exploration/thread-message.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import rfcNtPosted from '../../src/protocols/rfc-nt-posted.ts';
import { parseCpu } from '../../src/request/cpu-knobs.ts';
import { explorePlan, type ExploreRequest } from '../../src/request/explore.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { compiledTrials } from '../preflight/compiled.ts';

compiledTrials();

const FIXTURES = path.join(import.meta.dirname, 'fixtures');
/** The calling thread begins when the other has taken the first task. */
const FIRST: Partial<Patience> = { isLast: true };

async function explored(request: ExploreRequest, more: Partial<ExplorationHooks> = {}) {
  const told: ExploreRun[] = [];
  const threads = new Set<number>();
  const result = await runExploration(
    await explorePlan(request),
    {
      signal: new AbortController().signal,
      argv: [],
      onProgress: () => {},
      onRun: (run) => void told.push(run),
      onFailure: () => {},
      onThread: (thread) => void threads.add(thread),
      ...more,
    },
    FIRST,
  );
  return { result, told, threads: [...threads].toSorted((a, b) => a - b) };
}

/** All but times. */
const timeless = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, part) => (/^(elapsedMs|startedAt)$/.test(key) ? 0 : part)),
  );

async function sameOnTwo(request: ExploreRequest): Promise<ExploreRun[]> {
  const one = await explored({ ...request, jobs: 1 });
  const two = await explored({ ...request, jobs: 2 });
  expect([one.threads, two.threads[1]]).toEqual([[0], 1]);
  expect(timeless(two.result)).toEqual(timeless(one.result));
  expect(timeless(two.told)).toEqual(timeless(one.told));
  return two.told;
}

test('two threads have the results of one, in their order', async () => {
  const told = await sameOnTwo({
    protocols: ['rfc-nt-posted', 'bbml3-direct'],
    sequence: 'str 0; dsb ishst; tlbi vmalls12e1is; isb; str block; free child',
    accesses: 1,
  });
  expect(told.slice(0, 2).map(({ protocol }) => protocol)).toEqual([
    'rfc-nt-posted',
    'bbml3-direct',
  ]);
  expect(told.some(({ missing }) => (missing?.length ?? 0) > 0)).toBe(true);
});

test('one search is shared: the verdict, the counts and the shortest schedule are those of one thread', async () => {
  const request = { protocols: ['rfc-nt-posted'], vcpus: [2], cpu: parseCpu('hafdbs=on') };
  const one = await explored({ ...request, jobs: 1 });
  const two = await explored({ ...request, jobs: 2 });
  // The other thread takes it; this one finds none left, and helps.
  expect([one.threads, two.threads]).toEqual([[0], [0, 1]]);
  expect(timeless(two.result)).toEqual(timeless(one.result));
  expect(two.result).toMatchObject({
    verdict: 'fail',
    runs: [{ verdict: 'violated', stoppedBy: null }],
  });
  // Each of its guest programs once.
  const alone = exploreProtocol({ protocol: rfcNtPosted, vcpus: 2, cpu: { hafdbs: true } });
  const { states, executions, orders } = alone;
  expect(two.result.runs[0]).toMatchObject({ states, executions, orders });
});

test('two threads find the same steps needed', async () => {
  const request = { protocols: ['bbml3-direct', 'bbml2-direct'], ablate: true, accesses: 1 };
  const told = await sameOnTwo({ ...request, cpu: { bbm: [3] } });
  expect(told).toHaveLength(2);
});

test('a protocol that is here and nowhere else is explored here', async () => {
  const request: ExploreRequest = { protocols: [bbmEarly, 'bbml3-direct'], accesses: 1, jobs: 2 };
  const { result, threads } = await explored(request);
  expect([result.verdict, threads]).toEqual(['pass', [0]]);
});

test('a thread that is ended by a protocol takes nobody else along', async () => {
  const protocols = [path.join(FIXTURES, 'leaves.js'), 'bbml3-direct', 'bbml2-direct'];
  const { result } = await explored({ protocols, accesses: 1, jobs: 2 });
  expect(result.failures).toEqual([
    { protocol: 'leaves', why: 'protocol leaves: its thread ended with 3 and no result' },
  ]);
  expect([result.exitCode, result.runs.map(({ protocol }) => protocol)]).toEqual([
    70,
    ['bbml3-direct', 'bbml2-direct'],
  ]);
});

test('an interruption keeps what was done', async () => {
  const abort = new AbortController();
  // The second takes minutes.
  const { result } = await explored(
    { protocols: ['bbm-early'], levels: [2, 1], vcpus: [2], cpu: parseCpu('hafdbs=on'), jobs: 2 },
    { signal: abort.signal, onRun: () => abort.abort() },
  );
  expect([result.interrupted, result.verdict]).toEqual([true, 'inconclusive']);
  expect(result.runs).toMatchObject([
    { level: 2, verdict: 'safe', stoppedBy: null },
    { level: 1, verdict: 'bounded', stoppedBy: 'interrupt' },
  ]);
  expect(result.reasons.at(-1)).toBe('1 of 2 searches done');
});

describe('a thread that has taken a task', () => {
  async function lostBy(
    how: string,
    patience: Partial<Patience> = {},
  ): Promise<Map<number, string>> {
    const done = new Map<number, string>();
    const all: Beside<string> = {
      numbers: [4, 5, 6],
      jobs: 2,
      // The fixture reads no more of it.
      job: { is: 'kernel', request: how } as unknown as ThreadJob,
      mark: '',
      lost: (_, why) => why,
      runHere: () => Promise.resolve('here'),
      sharing: null,
      wholeOf: (_, what) => what,
      onDone: (number, what) => void done.set(number, what),
      signal: new AbortController().signal,
      onProgress: () => {},
    };
    const module = new URL('./fixtures/still.js', import.meta.url);
    await runBeside(all, { ...FIRST, ...patience }, module);
    return done;
  }

  const here = [
    [5, 'here'],
    [6, 'here'],
  ] as const;

  test('and throws loses this one', async () => {
    expect(await lostBy('throws')).toEqual(
      new Map([...here, [4, 'its thread failed: out of luck']]),
    );
  });

  test('and ends loses this one', async () => {
    expect(await lostBy('exits')).toEqual(
      new Map([...here, [4, 'its thread ended with 3 and no result']]),
    );
  });

  test('and hangs is given up', async () => {
    expect(await lostBy('hangs', { stillMs: 600 })).toEqual(
      new Map([...here, [4, 'its thread did not get on for 0.6 s']]),
    );
  });

  test('is the only one that can lose any', async () => {
    expect(await lostBy('never')).toEqual(new Map([[4, 'here'], ...here]));
  });
});

test('a thread that finds another text than the calling one takes nothing', async () => {
  const by: number[] = [];
  await runBeside(
    {
      numbers: [0, 1],
      jobs: 2,
      job: { is: 'explore', request: { protocols: ['bbml3-direct', 'bbm-late'] }, files: [] },
      mark: 'of another text',
      lost: (_, why) => why,
      runHere: () => Promise.resolve('here'),
      sharing: null,
      wholeOf: (_, what) => what,
      onDone: (_, what: string, thread) => void by.push(thread, what.length),
      signal: new AbortController().signal,
      onProgress: () => {},
    },
    FIRST,
  );
  expect(by).toEqual([0, 4, 0, 4]);
});
