import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyFolder, typed } from './program.ts';

const PORT = path.resolve(import.meta.dirname, '../../src/port/index.ts');
const RIGHT = `{ name: 'mine', kind: 'coalesce', summary: 's', origin: 'me', claims: {}, run(cpu, t, tables) {} }`;

let folder: string;
beforeEach(() => {
  folder = emptyFolder();
});

/** What the program says of a protocol file, loaded by Node itself as a user would see it. */
async function answerTo(name: string, source: string): Promise<string> {
  writeFileSync(path.join(folder, name), source);
  // The last flag is wrong on purpose: a file that loads is told apart from one that does not
  // without running anything.
  const { code, out, err } = await typed(
    ['stress', '--protocol', `./${name}`, '--json', './none/x'],
    folder,
  );
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err.match(/\n/g)).toHaveLength(1);
  return err.replace('stage2-stress: ', '').trimEnd();
}

const LOADED = '--json: there is no folder none; make it first';

describe('a protocol file', () => {
  it('loads, as TypeScript and JavaScript, beside no package.json', async () => {
    const source = `import { defineProtocol } from '${PORT}';\nexport default defineProtocol(${RIGHT});\n`;
    expect(await answerTo('mine.ts', source)).toBe(LOADED);
    expect(await answerTo('mine.mjs', source)).toBe(LOADED);
    expect(await answerTo('mine.js', source)).toBe(LOADED);
    // A package of the user's own that says nothing of modules: Node would add a warning to our one
    // line.
    writeFileSync(path.join(folder, 'package.json'), '{}');
    expect(await answerTo('again.ts', source)).toBe(LOADED);
    expect(await answerTo('old.cjs', `module.exports = ${RIGHT};`)).toBe(LOADED);
  });

  it('that is not there, or is something else', async () => {
    expect((await typed(['stress', '--protocol', './nowhere.ts'], folder)).err).toBe(
      'stage2-stress: ./nowhere.ts: there is no such file\n',
    );
    expect((await typed(['stress', '--protocol', './'], folder)).err).toContain(
      'not a .ts or .js file',
    );
    expect(await answerTo('mine.json', '{}')).toContain('./mine.json: not a .ts or .js file');
  });

  it('with a syntax error: file, line and what', async () => {
    const source = 'export default {\n  name: 1,\n  run(cpu {\n};\n';
    expect(await answerTo('mine.ts', source)).toBe(`./mine.ts:3: Expected ',', got '{'`);
    expect(await answerTo('mine.mjs', source)).toBe(`./mine.mjs:3: Unexpected token '{'`);
    expect(await answerTo('enum.ts', '\nenum X { A }\n')).toBe(
      './enum.ts:2: TypeScript enum is not supported in strip-only mode',
    );
  });

  it('that throws: file, line and what, in one line', async () => {
    expect(
      await answerTo('mine.ts', `const n: number = 1;\n\nthrow new Error('boom\\nmore');\n`),
    ).toBe('./mine.ts:3: boom');
    expect(await answerTo('text.ts', `throw 'only text';\n`)).toBe('./text.ts: only text');
    const badName = RIGHT.replace('mine', 'Not A Name');
    expect(
      await answerTo(
        'named.ts',
        `import { defineProtocol } from '${PORT}';\n\nexport default defineProtocol(${badName});\n`,
      ),
    ).toBe('./named.ts:3: protocol name "Not A Name" is not lower-case words joined by hyphens');
  });

  it('whose imports fail', async () => {
    expect(
      await answerTo('mine.ts', `import { nothing } from '${PORT}';\nexport default nothing;\n`),
    ).toContain('./mine.ts:1: ');
    expect(await answerTo('lost.ts', `import './absent.ts';\n`)).toContain('absent.ts');
    writeFileSync(path.join(folder, 'broken.ts'), 'const = 1;\n');
    expect(await answerTo('user.ts', `import './broken.ts';\n`)).toContain('broken.ts:1: ');
  });

  it('whose top-level await never ends', () => {
    const file = path.join(folder, 'mine.ts');
    writeFileSync(file, 'await new Promise(() => {});\nexport default 1;\n');
    const loader = path.resolve(import.meta.dirname, '../../src/request/protocol-file.ts');
    const script = `import('${loader}').then((m) => m.loadProtocolFile('${file}', 200)).catch((e) => console.log(e.message))`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stdout).toBe(`${file}: still loading after 0.2 s; a top-level await never ends\n`);
  });

  it('without a protocol as default export', async () => {
    expect(await answerTo('mine.ts', `export const p = ${RIGHT};`)).toContain(
      'no default export; write "export default',
    );
    expect(await answerTo('f.ts', 'export default () => {};')).toContain(
      'the default export is Function, not a protocol { name, kind, summary, origin, claims, run }',
    );
    expect(await answerTo('n.ts', 'export default null;')).toContain('is null, not a protocol');
    expect(await answerTo('a.ts', 'export default [1];')).toContain('is an array, not a protocol');
    expect(await answerTo('k.ts', `export default ${RIGHT.replace('coalesce', 'merge')};`)).toBe(
      './k.ts: the default export has kind = "merge"; it must be one of coalesce|split',
    );
  });

  it('named like a built-in one, or like another file', async () => {
    expect(
      await answerTo('mine.ts', `export default ${RIGHT.replace('mine', 'bbm-late')};`),
    ).toContain('./mine.ts is named bbm-late like a built-in one');
    writeFileSync(path.join(folder, 'other.ts'), `export default ${RIGHT};`);
    writeFileSync(path.join(folder, 'same.ts'), `export default ${RIGHT};`);
    expect((await typed(['stress', '--protocol', './same.ts,./other.ts'], folder)).err).toContain(
      '--protocol: ./other.ts is named mine like another one',
    );
  });
});
