/** Which compiler is taken, what happens without one, and what is compiled only once. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { cacheFolder, readCache, writeCache } from '../../src/native/cache.ts';
import { compile } from '../../src/native/compile.ts';
import { type Built, type Compiler, findCompiler, protocolJob } from '../../src/native/compiler.ts';
import { loadC, type NativeProtocol } from '../../src/native/index.ts';
import { NativeProblem } from '../../src/native/problem.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import { folderWith, runWith } from './compiled.ts';

/** The least module there is. */
const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

/** A clang of a few lines, to see how one is called. */
function fakeClang(targets: string, ends = 0): string {
  const folder = folderWith({ 'module.wasm': EMPTY_MODULE });
  const linker = path.join(folder, 'wasm-ld');
  const clang = path.join(folder, 'clang');
  const last = 'for last; do :; done';
  writeFileSync(
    clang,
    `#!/bin/sh
echo "$@" >> ${folder}/calls
case "$*" in
*--print-targets*) echo "  ${targets} - a target";;
*--print-prog-name*) echo ${linker};;
*) ${last}; echo "$last:3:5: warning: so so"; exit ${ends};;
esac
`,
  );
  writeFileSync(
    linker,
    `#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\ncp ${folder}/module.wasm "$2"\n`,
  );
  chmodSync(clang, 0o755);
  chmodSync(linker, 0o755);
  return clang;
}

describe('a clang of the system', () => {
  test('compiles and links, with its warnings', async () => {
    const clang = fakeClang('wasm32');
    const compiler = await findCompiler({ CLANG: clang });
    expect(compiler.name).toBe(clang);
    const built = await compiler.build(protocolJob('/home/me/mine.c', []));
    expect(built).toEqual({
      wasm: EMPTY_MODULE,
      output: '/home/me/mine.c:3:5: warning: so so\n',
    });
    const calls = readFileSync(path.join(path.dirname(clang), 'calls'), 'utf8');
    expect(calls).toMatch(/--target=wasm32 -O2 .*-c -o \S+ \/home\/me\/mine\.c/);
  });

  test('that fails says so and gives no module', async () => {
    const compiler = await findCompiler({ CLANG: fakeClang('wasm32', 1) });
    expect((await compiler.build(protocolJob('/home/me/mine.c', []))).wasm).toBeNull();
  });

  test('that cannot do wasm32, or is not there, is refused where it was named', async () => {
    for (const named of [fakeClang('x86-64'), '/nowhere/clang']) {
      await expect(findCompiler({ CLANG: named })).rejects.toThrow(NativeProblem);
      await expect(findCompiler({ CLANG: named })).rejects.toThrow(
        /^CLANG=\S+ is no clang that compiles for wasm32/,
      );
    }
  });
});

const CLANG = process.env['CLANG'] ?? 'clang';
const noClang: string | null = await findCompiler({ CLANG }).then(
  () => null,
  (error: Error) => error.message,
);
if (noClang !== null) console.warn(`tests of a clang of the system are skipped: ${noClang}`);

describe.skipIf(noClang !== null)('the clang that is here', () => {
  const load = async (text: string): Promise<NativeProtocol> => {
    // What the other compiler made is in the usual cache.
    vi.stubEnv('XDG_CACHE_HOME', folderWith({}));
    vi.stubEnv('CLANG', CLANG);
    const folder = folderWith({ 'a b.c': text, 'near by.h': 'static u32 here = 3;\n' });
    try {
      return await loadC(path.join(folder, 'a b.c'));
    } finally {
      vi.unstubAllEnvs();
    }
  };

  test('makes a protocol that the explorer knows the lines of', async () => {
    const text = runWith('BUG_ON(t->bbm == here);', '#include "near by.h"');
    const { protocol, warnings } = await load(text);
    expect(warnings).toEqual([]);
    const [good, bad] = [[1], [3]] as const;
    const mine = protocol as Protocol;
    expect(exploreProtocol({ protocol: mine, cpu: { bbm: good } }).verdict).toBe('safe');
    expect(() => exploreProtocol({ protocol: mine, cpu: { bbm: bad } })).toThrow(
      /BUG_ON\(\).*\(\/.*\/a b\.c:8:3\)$/,
    );
  });

  test('says what is wrong by file and line', async () => {
    const problem = expect.stringMatching(
      /^\/.*\/a b\.c:8:3: call to undeclared function 'frob'; a protocol has no library/,
    );
    await expect(load(runWith('frob();'))).rejects.toMatchObject({ message: problem });
    await expect(load(runWith('int unused = 1;'))).resolves.toMatchObject({
      warnings: [expect.stringMatching(/a b\.c:8:7: unused variable 'unused'/)],
    });
  });
});

describe('a compiled module', () => {
  const compilerOf = (output = ''): Compiler & { readonly builds: string[] } => {
    const builds: string[] = [];
    return {
      name: 'a test',
      builds,
      build({ files }): Promise<Built> {
        builds.push(files[0]?.text ?? '');
        return Promise.resolve({ wasm: EMPTY_MODULE, output });
      },
    };
  };

  test('is compiled once for each content, included files counted', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folderWith({}));
    const folder = folderWith({ 'a.c': '#include "b.h"\n', 'b.h': 'int a;\n' });
    const file = path.join(folder, 'a.c');
    const compiler = compilerOf(`${file}:1:1: warning: so so\n`);
    const find = (): Promise<Compiler> => Promise.resolve(compiler);
    const first = await compile(file, find);
    expect(first).toEqual({ wasm: EMPTY_MODULE, warnings: [`${file}:1:1: so so`] });
    expect(await compile(file, find)).toEqual(first);
    expect(compiler.builds).toHaveLength(1);
    writeFileSync(path.join(folder, 'b.h'), 'int b;\n');
    await compile(file, find);
    expect(compiler.builds).toHaveLength(2);
    expect(readdirSync(cacheFolder()).filter((name) => name.endsWith('.wasm'))).toHaveLength(2);
    vi.unstubAllEnvs();
  });

  test('lies where the XDG base directories say, and is no module if it is damaged', () => {
    const base = folderWith({});
    expect(cacheFolder({ XDG_CACHE_HOME: base })).toBe(path.join(base, 'stage2-stress/c'));
    expect(cacheFolder({ XDG_CACHE_HOME: 'not/absolute' })).toMatch(
      /^\/.*\.cache\/stage2-stress\/c$/,
    );
    vi.stubEnv('XDG_CACHE_HOME', base);
    const key = 'a'.repeat(64);
    expect(readCache(key)).toBeNull();
    expect(writeCache(key, { wasm: EMPTY_MODULE, warnings: [] })).toBe(true);
    expect(readCache(key)).toEqual({ wasm: EMPTY_MODULE, warnings: [] });
    writeFileSync(path.join(cacheFolder(), `${key}.wasm`), 'half of it');
    expect(readCache(key)).toBeNull();
    vi.unstubAllEnvs();
  });

  test('is one whose compiler failed with no error at all', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folderWith({}));
    const file = path.join(folderWith({ 'a.c': '' }), 'a.c');
    const find = (): Promise<Compiler> =>
      Promise.resolve({ name: 'a test', build: () => Promise.resolve({ wasm: null, output: '' }) });
    await expect(compile(file, find)).rejects.toThrow(/a\.c: the compiler failed/);
    expect(existsSync(cacheFolder())).toBe(false);
    vi.unstubAllEnvs();
  });
});
