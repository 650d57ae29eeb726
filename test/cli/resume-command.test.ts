/** `stress --resume FILE`: what it refuses, and what it hands to the engine. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { type RunStress, stress } from '../../src/cli/commands/stress/command.ts';
import { STRESS_FLAGS, stressOptionsOf } from '../../src/cli/commands/stress/flags.ts';
import { UsageError } from '../../src/request/usage-error.ts';
import { packageVersion } from '../../src/result/version.ts';
import { formatJson } from '../../src/report/json.ts';
import type { CampaignState, GroupState } from '../../src/result/campaign-state.ts';
import { mergeResults } from '../../src/result/merge/index.ts';
import type { StressResult } from '../../src/result/stress.ts';
import { machineInfo } from '../../src/stress/process/machine-info.ts';
import type { StressOptions } from '../../src/stress/plan/plan.ts';
import { planGroups } from '../../src/stress/plan/portfolio.ts';
import { repeated } from '../../src/stress/plan/repeats.ts';
import { waiting } from '../../src/stress/plan/resume.ts';
import { anExploreResult } from '../report/other-results.ts';
import { aResult, aRun } from '../report/results.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder, MAIN } from './program.ts';

const group = (vcpus: number, state: GroupState['state']): GroupState => ({
  label: `adjust-populated, level 2, ${vcpus} vCPU${vcpus === 1 ? '' : 's'}`,
  rows: 1,
  state,
  shareMs: 5000,
  spentMs: 5000,
  notes: [],
});

const CAMPAIGN: CampaignState = {
  groups: [group(1, 'done'), group(2, 'waiting')],
  leftMs: 5000,
  files: [],
  parts: [{ startedAt: '2026-11-23T02:00:00.000Z', elapsedMs: 9000, exitCode: 130 }],
};

/** Of two groups the first is done; made here, by this program. */
function half(over: Partial<StressResult> = {}): StressResult {
  return aResult({
    verdict: 'inconclusive',
    exitCode: 130,
    interrupted: true,
    argv: [
      '--protocol',
      'bbm-late',
      '--vcpus=1,2',
      '--time',
      '20s',
      '--json',
      'old.json',
      '--quiet',
    ],
    version: packageVersion(),
    machine: machineInfo(),
    runs: [aRun({ vcpus: 1 })],
    campaign: CAMPAIGN,
    ...over,
  });
}

const whole = (over: Partial<StressResult> = {}): StressResult =>
  half({
    verdict: 'pass',
    exitCode: 0,
    interrupted: false,
    runs: [aRun({ vcpus: 1 }), aRun({ vcpus: 2 })],
    campaign: { ...CAMPAIGN, groups: [group(1, 'done'), group(2, 'done')] },
    ...over,
  });

function saved(result: unknown): string {
  const file = path.join(emptyFolder(), 'run.json');
  writeFileSync(file, typeof result === 'string' ? result : formatJson(result));
  return file;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  /** What the engine was given; null if it was not asked. */
  readonly options: StressOptions | null;
}

async function resume(
  file: string,
  args: readonly string[] = [],
  engine: (options: StressOptions) => StressResult = () => whole(),
): Promise<Ran> {
  const terminal = memoryTerminal();
  let options: StressOptions | null = null;
  const run: RunStress = (given) => {
    options = given;
    return Promise.resolve(engine(given));
  };
  const input = parseCommandLine('stress', STRESS_FLAGS, ['--resume', file, ...args]);
  const code = await stress(input, terminal, BUILT_IN, () => run);
  expect(terminal.printed.err).toBe('');
  return { code, out: terminal.printed.out, options };
}

describe('a campaign that is resumed', () => {
  it('has the flags and the seed of its file, and goes back to it', async () => {
    const file = saved(half());
    const { code, options } = await resume(file);
    expect(options).toMatchObject({
      vcpus: [1, 2],
      timeMs: 20_000,
      seed: 42,
      argv: half().argv,
      resume: { ownTime: false },
    });
    expect(options?.protocols.map(({ name }) => name)).toEqual(['bbm-late']);
    expect(options?.resume?.earlier.runs).toEqual(half().runs);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ verdict: 'pass' });
    expect(readdirSync(path.dirname(file))).toEqual(['run.json']);
  });

  it('goes elsewhere with --json, and leaves its file', async () => {
    const file = saved(half());
    const before = readFileSync(file, 'utf8');
    const other = path.join(emptyFolder(), 'other.json');
    await resume(file, ['--json', other]);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(JSON.parse(readFileSync(other, 'utf8'))).toMatchObject({ verdict: 'pass' });
  });

  it('has a seed that was drawn by chance', async () => {
    expect((await resume(saved(half({ seed: 77 })))).options?.seed).toBe(77);
  });

  it('has its repeats, however much time there is now', async () => {
    const repeats = ['1', '2', '3'].map((n) => `, repeat ${n} of 3`);
    const part = half({
      argv: [...half().argv, '--repeats', '3'],
      campaign: {
        ...CAMPAIGN,
        groups: repeats.flatMap((suffix, i) =>
          [1, 2].map((vcpus) => {
            const state = group(vcpus, i === 0 && vcpus === 1 ? 'done' : 'waiting');
            return { ...state, label: `${state.label}${suffix}` };
          }),
        ),
        repeats: [aRun({ vcpus: 1 })],
      },
    });
    for (const time of [[], ['--time', '2s'], ['--time', '1h']])
      expect((await resume(saved(part), time)).options?.repeats).toBe(3);

    // Of the portfolio nobody said how many; there were as many as its own time was for.
    const options = await stressOptionsOf(parseCommandLine('stress', STRESS_FLAGS, []), BUILT_IN);
    const groups = repeated(await planGroups(options), options.repeats);
    const portfolio = half({
      argv: [],
      runs: [],
      campaign: { ...CAMPAIGN, groups: groups.map(waiting), repeats: [] },
    });
    for (const time of [[], ['--time', '20s'], ['--time', '35s'], ['--time', '2h']])
      expect((await resume(saved(portfolio), time)).options?.repeats).toBe(4);
  });

  it('takes its flags said again, and a time of its own', async () => {
    const same = ['--vcpus', '1,2', '--seed', '42', '--protocol', 'bbm-late', '--time', '20s'];
    expect((await resume(saved(half()), same)).options?.resume?.ownTime).toBe(false);
    const longer = (await resume(saved(half()), ['--time', '30s'])).options;
    expect([longer?.timeMs, longer?.resume?.ownTime]).toEqual([30_000, true]);
  });

  it('stays the shard it was', async () => {
    const shard = { index: 2, count: 2 };
    const part = half({
      argv: ['--protocol', 'bbm-late', '--vcpus', '1,2,3,4', '--shard', 'auto'],
      shard,
      runs: [aRun({ vcpus: 3 })],
      campaign: { ...CAMPAIGN, groups: [group(3, 'done'), group(4, 'waiting')] },
    });
    expect((await resume(saved(part))).options?.shard).toEqual(shard);
    expect((await resume(saved(part), ['--shard', '2/2'])).options?.shard).toEqual(shard);
    await expect(resume(saved(part), ['--shard', '1/2'])).rejects.toThrow(
      /--shard contradicts --resume: .* was measured with --shard 2\/2; leave --shard out/,
    );
  });

  it('finds the file of a protocol wherever it is started, unless it has changed', async () => {
    const mine = path.join(import.meta.dirname, '../stress/e2e/protocols/my-bbm.ts');
    const sha256 = createHash('sha256').update(readFileSync(mine)).digest('hex');
    const part = (digest: string): StressResult =>
      half({
        argv: ['--protocol', './my-bbm.ts', '--vcpus', '1,2'],
        runs: [aRun({ vcpus: 1, protocol: 'my-bbm' })],
        campaign: { ...CAMPAIGN, files: [{ path: mine, sha256: digest }] },
      });
    const { options } = await resume(saved(part(sha256)), ['--protocol', mine]);
    expect(options?.protocols).toMatchObject([{ name: 'my-bbm', path: mine }]);
    await expect(resume(saved(part('0'.repeat(64))))).rejects.toThrow(
      'my-bbm.ts has changed since',
    );
  });

  it('says how to go on where it was interrupted again', async () => {
    const { out } = await resume(saved(half()), [], () => half());
    expect(out).toMatch(/^to go on: npm run stress -- --resume .*run\.json$/m);
  });
});

describe('a complete campaign', () => {
  it.each([
    ['pass', 0],
    ['fail', 1],
    ['inconclusive', 3],
  ] as const)('that is %s says so, and nothing is run', async (verdict, exitCode) => {
    const file = saved(whole({ verdict, exitCode }));
    const before = readFileSync(file, 'utf8');
    const { code, out, options } = await resume(file);
    expect(out).toContain(`${file} is complete: nothing was run`);
    expect([code, options]).toEqual([exitCode, null]);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('is written where --json says', async () => {
    const other = path.join(emptyFolder(), 'other.json');
    await resume(saved(whole()), ['--json', other]);
    expect(JSON.parse(readFileSync(other, 'utf8'))).toMatchObject({ verdict: 'pass' });
  });
});

describe('what cannot be resumed', () => {
  const { campaign: _, ...unmarked } = half();
  it.each([
    ['nothing', '', 'not JSON'],
    ['a torn file', formatJson(half()).slice(0, 900), 'not JSON'],
    ['another file', '{"name":"x"}', 'not a result of stage2-stress'],
    ['another schema', { ...half(), schema: 2 }, 'schema 2 is not known'],
    ['another command', anExploreResult(), 'a result of explore, which cannot be resumed'],
    ['another version', half({ version: '0.0.9' }), 'made by version 0.0.9, this is'],
    ['a merged result', mergeResults([half()]), 'resume the parts it is of'],
    ['a result that says nothing of groups', unmarked, 'does not say how far it came'],
    [
      'another number of CPUs',
      half({ machine: { ...machineInfo(), cpus: 4096 } }),
      /measured on another machine \(cpus 4096, here \d+\)/,
    ],
    [
      'another model of CPU',
      half({ machine: { ...machineInfo(), model: 'Other' } }),
      'measured on another machine (model Other, here',
    ],
    [
      'another plan',
      half({ campaign: { ...CAMPAIGN, groups: [group(1, 'done')] } }),
      'its groups are not those',
    ],
    ['rows of something else', half({ runs: [] }), 'it has 0 rows where its groups have 1'],
    [
      'a group state that there is not',
      half({ campaign: { ...CAMPAIGN, groups: [{ ...group(1, 'done'), state: 'x' as 'done' }] } }),
      'campaign.groups[0].state: expected waiting or cut or died or done',
    ],
    ['flags of another program', half({ argv: ['--levle', '1'] }), 'its flags are not those of'],
  ])('%s', async (_name, content, why) => {
    const file = saved(content);
    const before = readFileSync(file, 'utf8');
    const terminal = memoryTerminal();
    const code = await dispatch(['stress', '--resume', file], terminal);
    expect(terminal.printed.err).toMatch(/^stage2-stress: stress --resume: [^\n]+\n$/);
    expect(terminal.printed.err).toMatch(why);
    expect([code, terminal.printed.out]).toEqual([2, '']);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.each([
    [['--vcpus', '2'], 'measured with --vcpus 1,2; leave --vcpus out'],
    [['--reorder'], 'measured without --reorder'],
    [['--seed', '43'], 'measured with --seed 42'],
    [['--protocol', 'bbm-late,bbm-early'], 'measured with --protocol bbm-late'],
    [['--shard', '1/2'], 'measured without --shard'],
  ])('under %j', async (args, why) => {
    const resumed = resume(saved(half()), args);
    await expect(resumed).rejects.toThrow(UsageError);
    await expect(resumed).rejects.toThrow(`${args[0]} contradicts --resume`);
    await expect(resumed).rejects.toThrow(why);
  });

  it('a file that is not there, or cannot be replaced', async () => {
    await expect(resume('none.json')).rejects.toThrow('none.json: cannot be read (ENOENT)');
    await expect(resume(emptyFolder())).rejects.toThrow('cannot be read (EISDIR)');
    const command = `exec "$0" --import ${MAIN.join(' ')} stress --resume <(cat "$1")`;
    const pipe = spawnSync('bash', ['-c', command, process.execPath, saved(half())], {
      encoding: 'utf8',
    });
    expect(pipe.stderr).toMatch(/is no file that could be replaced; give --json, too\n$/);
    expect([pipe.status, pipe.stdout]).toEqual([2, '']);
  });
});

describe('what is written before the end', () => {
  const checkpointed = async (file: string, args: readonly string[]): Promise<string[]> => {
    const seen: string[] = [];
    const run: RunStress = (_, { onCheckpoint }) => {
      onCheckpoint?.(half());
      seen.push(readFileSync(file, 'utf8'));
      return Promise.resolve(whole());
    };
    await stress(
      parseCommandLine('stress', STRESS_FLAGS, args),
      memoryTerminal(),
      BUILT_IN,
      () => run,
    );
    return [...seen, readFileSync(file, 'utf8')];
  };

  it('is in the file of --json between two groups, and the result at the end', async () => {
    const file = path.join(emptyFolder(), 'out.json');
    const texts = await checkpointed(file, ['--json', file]);
    expect(texts).toEqual([formatJson(half()), formatJson(whole())]);
  });

  it('is in the folder of --out, too', async () => {
    const folder = emptyFolder();
    const texts = await checkpointed(path.join(folder, 'results.json'), ['--out', folder]);
    expect(texts).toEqual([formatJson(half()), formatJson(whole())]);
  });

  it('does not stop the campaign where it cannot be written', async () => {
    const file = path.join(emptyFolder(), 'gone', 'out.json');
    const terminal = memoryTerminal();

    mkdirSync(path.dirname(file));
    const run: RunStress = (_, { onCheckpoint }) => {
      rmSync(path.dirname(file), { recursive: true });
      onCheckpoint?.(half());
      onCheckpoint?.(half());
      mkdirSync(path.dirname(file));
      return Promise.resolve(whole());
    };
    const input = parseCommandLine('stress', STRESS_FLAGS, ['--json', file]);
    expect(await stress(input, terminal, BUILT_IN, () => run)).toBe(0);
    expect(terminal.printed.err).toMatch(
      /^stage2-stress: what is done so far could not be written: its folder is not there .*\n$/,
    );
    expect(readFileSync(file, 'utf8')).toBe(formatJson(whole()));
  });
});
