/** The ready files of ci/: what they run exists, and the script for one machine really runs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '../../src/cli/commands.ts';
import { formatJson } from '../../src/report/json.ts';
import type { StressResult } from '../../src/result/stress.ts';
import { anExploreResult, anExploreRun } from '../report/other-results.ts';
import { emptyFolder } from '../cli/program.ts';

const CI = path.resolve(import.meta.dirname, '../../ci');
const FILES = readdirSync(CI);
const textOf = (file: string): string => readFileSync(path.join(CI, file), 'utf8');

describe.each(FILES)('%s', (file) => {
  it('names commands and flags that there are', async () => {
    const text = textOf(file)
      .replaceAll(/\\\n/g, ' ')
      .replaceAll(/\n#? +(?=--)/g, ' ');
    const calls = [
      ...text.matchAll(
        /(?:npm run (?:-s )?(?!-s)(?!["$])|main\.ts\s+)(?<command>[a-z-]+)(?<rest>[^\n|&]*)/g,
      ),
    ];
    for (const { groups } of calls) {
      expect(COMMAND_NAMES).toContain(groups?.['command']);
      const { command } = await COMMANDS[groups?.['command'] as 'stress'].load();
      const known = Object.keys(command.flags).map((name) => `--${name}`);
      const flags = groups?.['rest']?.match(/(?<= )--[a-z][a-z-]*/g) ?? [];
      expect(known).toEqual(expect.arrayContaining(flags));
    }
    // The script for one machine takes its command from its caller.
    expect(calls.length).toBeGreaterThanOrEqual(file === 'parallel.sh' ? 1 : 2);
  });
});

describe.each(FILES.filter((file) => file.endsWith('.sh')))('%s', (file) => {
  it('is a script that bash can read, and may be run', () => {
    expect(spawnSync('bash', ['-n', path.join(CI, file)]).status).toBe(0);
    expect(statSync(path.join(CI, file)).mode & 0o111).not.toBe(0);
    expect(spawnSync('bash', [path.join(CI, file)]).status).toBe(2);
  });
});

const SAYS_WHEN = path.resolve(CI, '../test/stress/e2e/protocols/says-when.ts');
const resultIn = (file: string): StressResult =>
  JSON.parse(readFileSync(file, 'utf8')) as StressResult;

const hasParallel = spawnSync('parallel', ['--version']).status === 0;

// Skipped, and said so, where GNU parallel is not installed (Debian: apt-get install parallel).
describe.skipIf(!hasParallel)('parallel.sh', () => {
  const campaign = ['3', '2', 'explore', '--protocol', 'bbm-late,bbm-early,rfc-nt-intended'];
  const run = (folder: string) =>
    spawnSync(path.join(CI, 'parallel.sh'), [path.join(folder, 'a b'), ...campaign], {
      encoding: 'utf8',
      timeout: 120_000,
    });

  it('runs every shard and merges them, and runs again only what is missing', () => {
    const folder = emptyFolder();
    const shard = (i: number): string => path.join(folder, 'a b', `shard-${i}-of-3.json`);
    const first = run(folder);
    expect(first.stdout).toMatch(/^PASS of 3 results/m);
    expect(first.status).toBe(0);
    expect(existsSync(path.join(folder, 'a b', 'report', 'report.html'))).toBe(true);

    const kept = readFileSync(shard(1), 'utf8');
    const marked = JSON.parse(kept) as { argv: string[]; runs: unknown[] };
    // Shard 2 was interrupted: what it left says so, and is not a finished shard.
    spawnSync('mv', [shard(2), shard(2).replace('.json', '.part.json')]);
    const part = { ...marked, shard: { index: 2, count: 3 }, interrupted: true, exitCode: 130 };
    const left = {
      ...anExploreResult({ runs: [anExploreRun()] }),
      ...part,
      verdict: 'inconclusive',
      runs: [],
    };
    writeFileSync(shard(2).replace('.json', '.part.json'), formatJson(left));
    const second = run(folder);
    expect(second.stdout + second.stderr).toContain('shard 1/3 is there already');
    expect(second.stdout + second.stderr).not.toContain('shard 2/3 is there already');
    expect(second.stdout).toMatch(/^PASS of 3 results/m);
    expect(readFileSync(shard(1), 'utf8')).toBe(kept);
    expect(second.status).toBe(0);
  });

  it('goes on with shards of stress that were killed, with what they had saved', () => {
    const folder = path.join(emptyFolder(), 'a b');
    const protocols = `${SAYS_WHEN},bbm-early`;
    const flags = ['--protocol', protocols, '--vcpus', '1,2,3', '--rounds', '20', '--seed', '4'];
    const file = (i: number): string => path.join(folder, `shard-${i}-of-2.json`);
    const stress = (env: NodeJS.ProcessEnv) =>
      spawnSync(path.join(CI, 'parallel.sh'), [folder, '2', '1', 'stress', ...flags], {
        encoding: 'utf8',
        timeout: 170_000,
        env: { ...process.env, ...env },
      });
    const killed = stress({ SAYS_WHEN_KILLS: file(1) });
    expect(killed.stdout).toContain('reason: shard 1/2 is not finished');
    expect(killed.stdout).toContain('reason: shard 2/2 is not finished');
    expect(killed.status).toBe(3);
    const saved = resultIn(file(1));
    expect(saved.campaign?.groups.map(({ state }) => state)).toEqual(['done', 'waiting']);

    const second = stress({});
    const merged = resultIn(path.join(folder, 'merged.json'));
    expect(merged.runs.map((run) => [run.vcpus, run.protocol, run.rounds])).toEqual(
      [1, 2, 3].flatMap((n) => [
        [n, 'says-when', 20],
        [n, 'bbm-early', 20],
      ]),
    );
    expect(merged.reasons.filter((reason) => !reason.includes('control missed'))).toEqual([]);
    expect(second.status).toBe(merged.exitCode);
    const [first] = merged.runs;
    expect(first?.accesses).toEqual(saved.runs[0]?.accesses);
    expect(resultIn(file(1)).campaign?.parts).toHaveLength(2);
  });
});

describe('slurm-array.sh', () => {
  it('is a shard, and submitted again runs nothing that is done', () => {
    const folder = emptyFolder();
    const flags = ['--protocol', 'bbm-early', '--vcpus', '1,2', '--rounds', '10'];
    const task = () =>
      spawnSync('bash', [path.join(CI, 'slurm-array.sh'), path.join(folder, 'a b'), ...flags], {
        encoding: 'utf8',
        timeout: 120_000,
        cwd: path.resolve(CI, '..'),
        env: {
          ...process.env,
          SLURM_SUBMIT_DIR: path.resolve(CI, '..'),
          SLURM_ARRAY_TASK_ID: '2',
          SLURM_ARRAY_TASK_MIN: '1',
          SLURM_ARRAY_TASK_MAX: '2',
          SLURM_ARRAY_TASK_COUNT: '2',
        },
      });
    const first = task();
    const file = path.join(folder, 'a b', 'shard-2.json');
    const { shard, runs, exitCode } = resultIn(file);
    expect([shard, runs.map(({ vcpus }) => vcpus)]).toEqual([{ index: 2, count: 2 }, [2]]);
    expect(first.status).toBe(exitCode);
    const text = readFileSync(file, 'utf8');
    const again = task();
    expect(again.stdout).toContain('is complete: nothing was run');
    expect(again.status).toBe(exitCode);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
