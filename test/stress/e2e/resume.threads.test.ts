/** Campaigns that are interrupted, killed, or lose a thread, and go on: together they are one run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CampaignState, GroupStateName } from '../../../src/result/campaign-state.ts';
import { bucketsOf } from '../../../src/result/distribution.ts';
import type { StressResult, StressRun } from '../../../src/result/stress.ts';
import { COMPILED, emptyFolder, MAIN } from '../../cli/program.ts';
import { PROTOCOL, resumed } from './stress.ts';

type Resumable = StressResult & { readonly campaign: CampaignState };

const FILE = 'run.json';
/** Twelve words of the protocol, so that a campaign is stopped in the middle of a group. */
const ROUNDS = 60;
const TRANSITIONS = 32;
/** One in eight times its flush, and says nothing of its window. */
const WINDOWS = (TRANSITIONS * 7) / 8;
const PROTOCOLS = ['says-when', 'bbm-early'];
const CAMPAIGN = [
  ...['--protocol', `${PROTOCOL('says-when')},bbm-early`],
  ...['--rounds', String(ROUNDS), '--seed', '11'],
];

interface Started {
  readonly child: ChildProcess;
  /** Resolves once the file in its folder is as wanted. */
  file(wanted: (result: Resumable) => boolean): Promise<void>;
  /** Resolves at the next word of the protocol, which runs in the thread that measures. */
  word(): Promise<void>;
  ended(): Promise<{ code: number | null; out: string; err: string }>;
}

function start(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, ['--import', ...MAIN, 'stress', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...env },
  });
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  /** Whatever a test waits for, a process that has ended will not bring it. */
  const or = (event: Promise<unknown>, what: string): Promise<unknown> =>
    Promise.race([
      event,
      closed.then(([code]) => {
        throw new Error(`ended with ${code} before ${what}: ${err}`);
      }),
    ]);
  return {
    child,
    async file(wanted) {
      const isAsWanted = (): boolean =>
        existsSync(path.join(folder, FILE)) && wanted(resultIn(folder));
      const watcher = watch(folder);
      try {
        while (!isAsWanted()) await or(once(watcher, 'change'), 'its file was as wanted');
      } finally {
        watcher.close();
      }
    },
    async word() {
      const before = err.length;
      const more = (): Promise<unknown> => once(child.stderr as NodeJS.ReadableStream, 'data');
      while (!err.slice(before).includes('says-when')) await or(more(), 'a word of it was heard');
    },
    async ended() {
      const [code] = await closed;
      return { code, out, err };
    },
  };
}

function resultIn(folder: string): Resumable {
  return JSON.parse(readFileSync(path.join(folder, FILE), 'utf8')) as Resumable;
}

const statesOf = ({ campaign }: Resumable): GroupStateName[] =>
  campaign.groups.map(({ state }) => state);
const stands =
  (...states: readonly GroupStateName[]) =>
  (result: Resumable): boolean =>
    String(statesOf(result)) === String(states);

/** Rows of a whole campaign are those of the plan, in its order, each with all of its rounds. */
function expectWhole({ runs, campaign }: Resumable, vcpus: readonly number[], repeats = 1): void {
  expect(runs.map((run) => [run.vcpus, run.protocol])).toEqual(
    vcpus.flatMap((n) => PROTOCOLS.map((name) => [n, name])),
  );
  for (const run of runs) expectBalanced(run);
  const states = Array.from({ length: repeats }, () => vcpus.map(() => 'done')).flat();
  expect(campaign.groups.map(({ state }) => state)).toEqual(states);
}

function expectBalanced(run: StressRun): void {
  expect([run.rounds, run.transitions]).toEqual([ROUNDS, ROUNDS * TRANSITIONS]);
  expect(run.transitionsHit).toBeLessThanOrEqual(run.transitions);
  expect(run.accesses.lost).toBe(0);
  expect(run.accesses.completed).toBeLessThanOrEqual(run.accesses.issued);
  const kept = run.rounds - run.roundsDropped - run.roundsWarmUp;
  // On a busy machine times are not measured, and it is said.
  if (run.windowNs === null) {
    expect(run.notMeasured?.['windowNs']).toContain('other programs');
    return;
  }
  expect(run.windowNs.count).toBeGreaterThanOrEqual(kept * WINDOWS);
  expect(run.windowNs.count).toBeLessThanOrEqual(ROUNDS * WINDOWS);
  const buckets = bucketsOf(run.windowNs.histogram);
  expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(run.windowNs.count);
}

/** A busy machine may not show the race of a control: that is the only thing forgiven, and it is said. */
function expectPassed({ exitCode, controls, reasons }: Resumable): void {
  const missed = controls.filter(({ caught }) => !caught).map(({ name }) => name);
  expect(reasons.filter((reason) => !reason.startsWith('not shown here'))).toEqual([]);
  expect(exitCode).toBe(0);
  expect(missed.every((name) => name === 'entry-unfenced')).toBe(true);
}

describe('a campaign that goes on', () => {
  it('after Ctrl-C in its second group is the one that was planned', async () => {
    const folder = emptyFolder();
    const first = start(folder, [...CAMPAIGN, '--vcpus', '1,2', '--json', FILE]);
    await first.file(stands('done', 'waiting'));
    await first.word();
    first.child.kill('SIGINT');
    const { code, out } = await first.ended();
    const part = resultIn(folder);
    expect([code, part.interrupted, part.exitCode]).toEqual([130, true, 130]);
    expect(statesOf(part)).toEqual(['done', 'cut']);
    const cut = part.runs.slice(2);
    for (const { rounds } of cut) expect(rounds).toBeLessThan(ROUNDS);
    expect(cut[0]?.rounds).toBeGreaterThan(0);
    expect(out).toContain(`to go on: npm run stress -- --resume ${FILE}`);

    const file = path.join(folder, FILE);
    const second = await resumed(file);
    const whole = resultIn(folder);
    expect(second.code).toBe(whole.exitCode);
    expectPassed(whole);
    expectWhole(whole, [1, 2]);
    // What was measured is as it was; what was cut has more of the same.
    expect(whole.runs.slice(0, 2)).toEqual(part.runs.slice(0, 2));
    for (const [i, run] of cut.entries()) {
      const now = whole.runs[i + 2] as StressRun;
      expect(now.accesses.issued).toBeGreaterThan(run.accesses.issued);
      expect(now.faults.spurious).toBeGreaterThanOrEqual(run.faults.spurious);
      expect(now.windowNs?.max ?? 0).toBeGreaterThanOrEqual(run.windowNs?.max ?? 0);
    }
    expect([whole.seed, whole.argv, whole.startedAt]).toEqual([11, part.argv, part.startedAt]);
    expect(whole.campaign.parts).toHaveLength(2);
    expect(whole.campaign.parts[0]).toEqual(part.campaign.parts[0]);
    expect(second.out).toMatch(/^parts +20\d\d-/m);
    expect(second.out).not.toContain('to go on');
    expect(readdirSync(folder)).toEqual([FILE]);

    const bytes = readFileSync(file, 'utf8');
    const third = await resumed(file);
    expect(third.out).toContain(`${FILE} is complete: nothing was run`);
    expect(third.code).toBe(whole.exitCode);
    expect(readFileSync(file, 'utf8')).toBe(bytes);
  });

  it('after SIGKILL has lost no finished group, twice, and stays the shard it was', async () => {
    const folder = emptyFolder();
    const vcpus = ['--vcpus', '1,2,3,4', '--shard', '2/2', '--repeats', '2'];
    const first = start(folder, [...CAMPAIGN, ...vcpus, '--json', FILE]);
    await first.file(stands('done', 'done', 'done', 'waiting'));
    first.child.kill('SIGKILL');
    await first.ended();
    const part = resultIn(folder);
    expect([part.exitCode, part.interrupted, part.runs.length]).toEqual([130, true, 4]);
    // With 3 vCPUs both repeats, with 4 the first.
    expect(part.runs.map(({ rounds }) => rounds)).toEqual([ROUNDS, ROUNDS, ROUNDS / 2, ROUNDS / 2]);
    expect(part.campaign.repeats).toHaveLength(6);

    // Killed again, in a group that it will have to run again from its start.
    const second = start(folder, ['--resume', FILE, '--quiet']);
    await second.word();
    second.child.kill('SIGKILL');
    await second.ended();
    expect(statesOf(resultIn(folder))).toEqual(['done', 'done', 'done', 'waiting']);
    expect(resultIn(folder).campaign.repeats).toEqual(part.campaign.repeats);

    await start(folder, ['--resume', FILE, '--shard', '2/2', '--quiet']).ended();
    const whole = resultIn(folder);
    expectPassed(whole);
    expectWhole(whole, [3, 4], 2);
    expect(whole.runs.slice(0, 2)).toEqual(part.runs.slice(0, 2));
    expect(whole.runs.map(({ repeats }) => repeats)).toEqual([2, 2, 2, 2]);
    expect(whole.campaign).not.toHaveProperty('repeats');
    expect(whole.shard).toEqual({ index: 2, count: 2 });
    expect(whole.campaign.parts).toHaveLength(3);

    const again = await resumed(path.join(folder, FILE));
    expect(again.out).toContain(`${FILE} is complete: nothing was run`);
  });

  it('after a thread died runs that group again, from its start', async () => {
    const folder = emptyFolder();
    const campaign = [...CAMPAIGN, '--vcpus', '1', '--json', FILE, '--quiet'];
    const first = await start(folder, campaign, { SAYS_WHEN_THROWS: 'yes' }).ended();
    expect(first.code).toBe(70);
    const part = resultIn(folder);
    expect(statesOf(part)).toEqual(['died']);
    expect(part.runs[0]?.rounds).toBeGreaterThan(0);

    await resumed(path.join(folder, FILE), '--quiet');
    const whole = resultIn(folder);
    expectPassed(whole);
    expectWhole(whole, [1]);
    expect(whole.campaign.parts.map(({ exitCode }) => exitCode)[0]).toBe(70);
  });

  it('with a limit of time gets what was left of it', async () => {
    const folder = emptyFolder();
    const flags = ['--protocol', PROTOCOL('says-when'), '--vcpus', '1', '--time', '10m'];
    const first = start(folder, [...flags, '--json', FILE]);
    await first.word();
    first.child.kill('SIGTERM');
    await first.ended();
    const part = resultIn(folder);
    const [group] = part.campaign.groups;
    expect(group?.state).toBe('cut');
    expect(part.campaign.leftMs).toBeLessThan(600_000 - (group?.spentMs ?? 0));
    expect(part.campaign.leftMs).toBeGreaterThan(0);

    // A time of its own is for what is missing.
    copyFileSync(path.join(folder, FILE), path.join(folder, 'part.json'));
    await start(folder, ['--resume', FILE, '--time', '4s', '--quiet']).ended();
    let whole = resultIn(folder);
    // In four seconds of a busy machine not even the control may have had its turn: then it gets more.
    if (whole.reasons.some((reason) => reason.includes('in 0 of 0 rounds'))) {
      copyFileSync(path.join(folder, 'part.json'), path.join(folder, FILE));
      await start(folder, ['--resume', FILE, '--time', '60s', '--quiet']).ended();
      whole = resultIn(folder);
    }
    expectPassed(whole);
    expect(statesOf(whole)).toEqual(['done']);
    // On a busy machine four seconds may be no round; what was there stays in any case.
    expect(whole.runs[0]?.rounds).toBeGreaterThanOrEqual(part.runs[0]?.rounds ?? 0);
    expect(whole.campaign.groups[0]?.spentMs).toBeGreaterThan(group?.spentMs ?? 0);
  });
});
