/** What a thread pool does before it has threads, and with those of a group that has ended. */
import { runInNewContext } from 'node:vm';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { HUNT_SETTING, huntRequest, huntRow } from '../../../src/stress/campaign/hunt.ts';
import { runGroup } from '../../../src/stress/group/group-run.ts';
import { type PlanItem, ROUND_KIND } from '../../../src/stress/plan/group.ts';
import type { GroupRequest } from '../../../src/stress/plan/group-request.ts';
import { ROW } from '../../../src/stress/results/results-area.ts';
import { allowedCpus, canPin } from '../../../src/stress/process/pinning.ts';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { builtin } from '../../explore/protocol/fixtures.ts';
import { COMPILED } from '../../cli/program.ts';
import { createThreadPool } from '../../../src/stress/group/pool.ts';

test('V8 flags are set before there are threads, which then set none', async () => {
  expect(typeof runInNewContext('globalThis.gc')).toBe('undefined');
  const pool = await createThreadPool();
  try {
    // What a thread that counts its collections looks for first.
    expect(typeof runInNewContext('globalThis.gc')).toBe('function');
  } finally {
    await pool.destroy();
  }
});

const request = (source: PlanItem['protocol']): GroupRequest => ({
  ...huntRequest({
    ...{
      items: [{ protocol: source, cpu: DEFAULT_CPU, bug: null }],
      setting: HUNT_SETTING,
      rules: [],
    },
    ...{ stopsAtSign: false, seed: 1, pins: { usual: null, racing: null } },
    ...{ budgetMs: null, roundsMax: 1, transitions: 1 },
  }),
  omitsBaseline: true,
});
const BAD = new URL('../../preflight/fixtures/throws.ts', import.meta.url);
const hooks = { signal: new AbortController().signal, onTick: (): void => {} };
const BUILT_IN = { from: 'built-in', name: 'bbm-early' } as const;

test("a group without files of the user's runs while those are compiled; without a baseline its first round is one of transitions", async () => {
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED;
  // All of our own are compiled after that.
  await (await createThreadPool()).destroy();
  const hangs = new URL('../../preflight/fixtures/never-loads.ts', import.meta.url).href;
  const bounds = { others: 'beside', limitMs: Infinity } as const;
  const pool = await createThreadPool([hangs], bounds);
  try {
    const { end, results } = await runGroup(pool, request(BUILT_IN), hooks);
    expect(end).toEqual({ kind: 'done' });
    expect(results.control[0]).toBe(1);
    expect(results.rows[ROW.kind]).toBe(ROUND_KIND.transitions);
  } finally {
    // Ends what is never compiled, too.
    await pool.destroy();
  }
});

/** Threads that are started while `work` runs. */
async function threadsStarted(work: () => Promise<void>): Promise<number> {
  let started = 0;
  const onWorker = (): void => void started++;
  process.on('worker', onWorker);
  try {
    await work();
  } finally {
    process.off('worker', onWorker);
  }
  return started;
}

describe('three groups of two threads, one after the other', () => {
  const thrown = { from: 'file', name: 'throws', path: fileURLToPath(BAD) } as const;

  test.each([
    ['start six', false, BUILT_IN, 6, [false, false, false]],
    ['start two where threads are kept', true, BUILT_IN, 2, [false, true, true]],
    ['start four where those of the first have failed', true, thrown, 4, [false, false, true]],
  ])('%s', async (_name, keepsThreads, first, threads, areKept) => {
    const pool = await createThreadPool([], { keepsThreads: () => keepsThreads });
    const ends: string[] = [];
    const kept: boolean[] = [];
    const notMeasured: (string | undefined)[] = [];
    const started = await threadsStarted(async () => {
      for (const source of [first, BUILT_IN, BUILT_IN]) {
        const outcome = await runGroup(pool, request(source), hooks);
        ends.push(outcome.end.kind);
        kept.push(outcome.threadsKept);
        const row = huntRow(request(source), outcome, 0, builtin('bbm-early'), null);
        notMeasured.push(row.notMeasured?.['hitShare']);
      }
    });
    await pool.destroy();
    expect(ends).toEqual([first === BUILT_IN ? 'done' : 'failed', 'done', 'done']);
    expect(started).toBe(threads);
    expect(kept).toEqual(areKept);
    // Of the others it says so, too, where the machine is busy.
    expect(notMeasured.filter((why, i) => areKept[i] === true && why === undefined)).toEqual([]);
  });
});

/** What the kernel has of a thread; nothing of one that has just ended. */
function statusOf(thread: string): string {
  try {
    return readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** CPUs that each worker of this process may use. Node names them so. */
const allowedByWorker = (): readonly string[] =>
  readdirSync('/proc/self/task')
    .map(statusOf)
    .filter((status) => /^Name:\s*WorkerThread$/m.test(status))
    .map((status) => /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');

test.skipIf(!canPin())(
  'threads that were pinned for a group run the next one anywhere',
  async () => {
    const cpus = allowedCpus() ?? [];
    const pool = await createThreadPool([], { keepsThreads: () => true });
    const pinned = { ...request(BUILT_IN), pin: cpus };
    await runGroup(pool, pinned, hooks);
    expect(new Set(allowedByWorker()).size).toBe(2);
    const { threadsKept } = await runGroup(pool, request(BUILT_IN), hooks);
    expect(threadsKept).toBe(true);
    expect(new Set(allowedByWorker()).size).toBe(1);
    await pool.destroy();
  },
);
