import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stripped } from '../../packaging/strip.ts';
import { publishedManifest } from '../../packaging/manifest.ts';
import { commandLine, shellWord } from '../../src/package/command-line.ts';
import { readSources, ROOT } from '../architecture/source-files.ts';

describe('stripped', () => {
  // Node 24 says that its function is experimental.
  const emit = vi.spyOn(process, 'emitWarning');
  beforeAll(() => void emit.mockImplementation(() => undefined));
  afterAll(() => emit.mockRestore());

  it.each([
    ["import { a } from './a.ts';", "import { a } from './a.js';"],
    ["export * from '../b/c.ts';", "export * from '../b/c.js';"],
    ["import './a.ts';", "import './a.js';"],
    ["const a = await import('./a.ts');", "const a = await import('./a.js');"],
    ["import {\n  a,\n} from './x.growth.ts';", "import {\n  a,\n} from './x.growth.js';"],
    ["import { a } from 'x/y.ts';", "import { a } from 'x/y.ts';"],
    ["const a = 'mine.ts';", "const a = 'mine.ts';"],
  ])('%s', (typescript, javascript) => {
    expect(stripped(typescript)).toBe(javascript);
  });

  it('leaves everything else where it was', () => {
    const text =
      "import type { A } from './a.ts';\n\nexport function f(a: A): void {\n  g(a);\n}\n";
    const lines = stripped(text).split('\n');
    expect(lines.map((line) => line.length)).toEqual(text.split('\n').map((line) => line.length));
    expect(lines.map((line) => line.trim())).toEqual([
      '',
      '',
      'export function f(a   )       {',
      'g(a);',
      '}',
      '',
    ]);
  });
});

describe('publishedManifest', () => {
  it('points to JavaScript and its types, and leaves out what is of a clone', () => {
    const manifest = publishedManifest({
      name: 'x',
      private: true,
      scripts: {},
      devDependencies: {},
      dependencies: { y: '1' },
      exports: { './protocol': './src/port/index.ts' },
      imports: { '#sync': './src/sync/index.ts' },
    });
    expect(manifest).toEqual({
      name: 'x',
      dependencies: { y: '1' },
      bin: { 'stage2-stress': 'dist/bin.js' },
      exports: {
        './protocol': {
          types: './dist/src/port/index.d.ts',
          default: './dist/src/port/index.js',
        },
        './package.json': './package.json',
      },
      imports: { '#sync': './dist/src/sync/index.js' },
    });
  });
});

describe('commandLine', () => {
  it('names the clone to whom npm has brought in from elsewhere', () => {
    vi.stubEnv('INIT_CWD', '/somewhere/else');
    expect(commandLine('replay -- TOKEN', false)).toBe(
      `npm --prefix ${shellWord(process.cwd())} run replay -- TOKEN`,
    );
    expect(commandLine('replay -- TOKEN', true)).toBe('npx stage2-stress replay TOKEN');
    vi.stubEnv('INIT_CWD', path.join(process.cwd(), 'docs'));
    expect(commandLine('replay -- TOKEN', false)).toBe('npm run replay -- TOKEN');
    vi.unstubAllEnvs();
  });

  it.each([
    ['/home/me/a-b_c', '/home/me/a-b_c'],
    ["/home/me/it's mine", String.raw`'/home/me/it'\''s mine'`],
  ])('takes %s to a shell', (arg, word) => {
    expect(shellWord(arg)).toBe(word);
  });

  it.each([
    ['replay -- TOKEN', 'npm run replay -- TOKEN', 'npx stage2-stress replay TOKEN'],
    ['explore --', 'npm run explore --', 'npx stage2-stress explore'],
    ['explore', 'npm run explore', 'npx stage2-stress explore'],
    ['--silent list -- --json', 'npm run --silent list -- --json', 'npx stage2-stress list --json'],
    [
      'explore -- --sequence "str 0; dsb ish"',
      'npm run explore -- --sequence "str 0; dsb ish"',
      'npx stage2-stress explore --sequence "str 0; dsb ish"',
    ],
  ])('%s', (words, inClone, installed) => {
    expect(commandLine(words, false)).toBe(inClone);
    expect(commandLine(words, true)).toBe(installed);
    expect(commandLine(words)).toBe(inClone);
  });
});

// It has no types, so that it can be read by old Node.
const needed = new URL('../../src/cli/node-needed.js', import.meta.url).href;
const { isTooOld } = (await import(needed)) as { isTooOld: (version: string) => boolean };

it.each([
  ['12.22.0', true],
  ['20.20.2', true],
  ['22.17.1', true],
  ['22.18.0', false],
  ['24.0.0', false],
  ['26.1.0', false],
])('Node %s is too old: %s', (version, tooOld) => {
  expect(isTooOld(version)).toBe(tooOld);
});

describe('modules that are named, not imported', () => {
  const sources = readSources('src', 'workers', 'bench');

  it('are named without what they end in, which differs in the package', () => {
    const named = sources.filter(({ text }) =>
      /new URL\([^;]*?\.ts['`]\s*,\s*import\.meta/.test(text),
    );
    expect(named.map((file) => file.path)).toEqual([]);
  });

  it('are there', () => {
    const names = sources.flatMap((file) =>
      [...file.text.matchAll(/ownModule\('([^']+)', import\.meta\.url\)/g)].map(([, name]) =>
        path.join(ROOT, path.dirname(file.path), `${name}.ts`),
      ),
    );
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !existsSync(name))).toEqual([]);
  });
});
