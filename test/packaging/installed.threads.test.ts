/**
 * The package as a user has it: packed, in node_modules of another folder, run. Without a network: the
 * tarball is unpacked, and what it depends on is linked to what the clone has. No Node comes with it
 * here, so the one on the PATH is used.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../architecture/source-files.ts';
import { emptyFolder } from '../cli/program.ts';

const PACKED = [
  'src',
  'workers',
  'bench',
  'packaging',
  'docs',
  'examples',
  'include',
  'test/litmus/own',
];
const BESIDE = ['package.json', 'tsconfig.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(folder: string, program: string, ...args: string[]): Ran {
  const PATH = `${path.dirname(process.execPath)}:${process.env['PATH']}`;
  const env = {
    PATH,
    HOME: folder,
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  const ran = spawnSync(program, args, { cwd: folder, encoding: 'utf8', env, timeout: 120_000 });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

/** Packed in a copy: package.json is another while npm packs. */
function pack(): string {
  const clone = emptyFolder();
  for (const name of [...PACKED, ...BESIDE]) {
    cpSync(path.join(ROOT, name), path.join(clone, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
  const manifest = readFileSync(path.join(clone, 'package.json'), 'utf8');
  const { code, out, err } = run(clone, 'npm', 'pack', '--silent');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(readFileSync(path.join(clone, 'package.json'), 'utf8')).toBe(manifest);
  return path.join(clone, out.trim());
}

/** A folder as `npm init` and `npm install` leave it. */
function install(tarball: string): string {
  const app = emptyFolder();
  writeFileSync(path.join(app, 'package.json'), '{ "name": "app", "type": "commonjs" }\n');
  const modules = path.join(app, 'node_modules');
  const own = path.join(modules, 'stage2-stress');
  mkdirSync(own, { recursive: true });
  expect(run(own, 'tar', 'xzf', tarball, '--strip-components=1').code).toBe(0);
  const manifest = JSON.parse(readFileSync(path.join(own, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    bin: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  mkdirSync(path.join(modules, '.bin'));
  for (const [name, file] of Object.entries(manifest.bin)) {
    symlinkSync(path.join(own, file), path.join(modules, '.bin', name));
  }
  return app;
}

describe('the package, installed', () => {
  let app: string;
  const program = (...args: string[]): Ran =>
    run(app, path.join(app, 'node_modules/.bin/stage2-stress'), ...args);

  beforeAll(() => {
    app = install(pack());
    program('init', 'mine');
  });

  it('runs by npx, on the protocol of a folder that is no module, and says how to go on', () => {
    const shown = run(app, 'npx', 'stage2-stress', 'explore', '--protocol', './mine-with-a-bug.ts');
    expect(shown).toMatchObject({ code: 1, err: '' });
    const [, command] = /replay: npx stage2-stress (replay \S+)\n/.exec(shown.out) ?? [];
    expect(program(...String(command).split(' ')).out).toContain('VIOLATION freed-table');
  });

  it('is a library, whose threads run', () => {
    const script = `
      import { explore, stress } from 'stage2-stress';
      import { VALID } from 'stage2-stress/protocol';
      const explored = await explore({ protocol: './mine.ts' });
      const { runs } = await stress({ protocols: ['./mine.ts'], vcpus: [1], rounds: 20, transitions: 2 });
      console.log(JSON.stringify([explored.runs[0].verdict, runs.map((r) => [r.protocol, r.rounds]), \`\${VALID}\`]));
    `;
    writeFileSync(path.join(app, 'use.mjs'), script);
    const { out, err } = run(app, process.execPath, 'use.mjs');
    expect({ out, err }).toEqual({ out: '["safe",[["mine",20]],"1"]\n', err: '' });
  });

  it('has types', () => {
    const lines = [
      "import { explore } from 'stage2-stress';",
      "import type { Protocol } from 'stage2-stress/protocol';",
      "const wrong: Protocol = 'a';",
      'const verdict: number = (await explore({ protocol: wrong })).verdict;',
      'export {};',
    ];
    writeFileSync(path.join(app, 'use.mts'), lines.join('\n'));
    // skipLibCheck: of the package's files only those that are asked for are looked at.
    const flags = '--noEmit --strict --skipLibCheck --module nodenext --target es2024 --types';
    const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
    const { out } = run(app, tsc, ...flags.split(' '), '', 'use.mts');
    expect(out.match(/^use.*$/gm)).toEqual([
      expect.stringContaining("Type 'string' is not assignable to type 'Protocol'"),
      expect.stringContaining("Type 'string' is not assignable to type 'number'"),
    ]);
  });

  it('knows its header and version, and names no file of a clone', () => {
    expect(existsSync(path.join(app, 'node_modules/stage2-stress/include/stage2-stress.h'))).toBe(
      true,
    );
    expect(program('--version').out).toMatch(/^stage2-stress \d+\.\d+\.\d+\n$/);
    expect(program('explore', '--help').out).not.toMatch(/npm run|\.ts <command>/);
  });

  it('says what to do with TypeScript below node_modules', () => {
    const file = 'node_modules/stage2-stress/examples/01-protocol.ts';
    expect(program('explore', '--protocol', file)).toMatchObject({
      code: 2,
      err: `stage2-stress: ${file}: Node runs no TypeScript below node_modules; copy the file to a folder of yours\n`,
    });
  });
});
