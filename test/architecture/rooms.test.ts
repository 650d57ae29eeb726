/**
 * The direction of imports is a rule of the design; here it is a test, and the test is tested on
 * files that break it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALIASES, importsOf } from './imports.ts';
import {
  edgesOf,
  findCycle,
  importersOf,
  INNER,
  judgeImports,
  judgeInner,
  ROOMS,
} from './rooms.ts';
import { readSources, ROOT } from './source-files.ts';

const files = readSources('src', 'workers', 'bench', 'examples');
const imports = files.flatMap(importsOf);

describe('this repository', () => {
  test('has sources to judge', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(imports.length).toBeGreaterThan(10);
  });

  test('imports in the direction of the table only', () => {
    expect(
      judgeImports(
        files.map((f) => f.path),
        imports,
      ),
    ).toEqual([]);
  });

  test('has no cycle of rooms, in fact or in the table', () => {
    expect(findCycle(edgesOf(imports))).toBeNull();
    expect(
      findCycle(new Map(Object.entries(ROOMS).map(([room, may]) => [room, new Set(may)]))),
    ).toBeNull();
  });

  test.each(Object.entries(INNER))('%s: its rooms import downwards', (folder, order) => {
    expect(judgeInner(folder, order, imports)).toEqual([]);
  });

  test('names only listed rooms in the table', () => {
    expect(
      Object.values(ROOMS)
        .flat()
        .filter((room) => !(room in ROOMS)),
    ).toEqual([]);
  });

  test('imports the thread pool in one file at most, of src/stress', () => {
    const importers = importersOf('piscina', imports);
    expect(importers.length).toBeLessThanOrEqual(1);
    expect(importers.filter((path) => !path.startsWith('src/stress/'))).toEqual([]);
  });

  test('has the aliases of package.json', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      imports: object;
    };
    const expected = Object.entries(ALIASES).map(([alias, path]) => [alias, `./${path}`]);
    expect(Object.entries(manifest.imports)).toEqual(expected);
  });
});

describe('rooms within a room', () => {
  const inner = (path: string, text: string): string[] =>
    judgeInner('src/a', ['low', '', 'high'], importsOf({ path, text }));

  test.each([
    ['src/a/high/x.ts', "import './y.ts';\nimport '../low/z.ts';\nimport '../top.ts';"],
    ['src/a/top.ts', "import './low/z.ts';\nimport '../b/w.ts';"],
    ['src/b/w.ts', "import '../a/high/x.ts';"],
  ])('%s may import what lies below or outside', (path, text) => {
    expect(inner(path, text)).toEqual([]);
  });

  test.each([
    ['src/a/low/z.ts', "import '../top.ts';", 'src/a/low/z.ts:1: a room above: src/a/top.ts'],
    [
      'src/a/top.ts',
      "import type { X } from './high/x.ts';",
      'src/a/top.ts:1: a room above: src/a/high/x.ts',
    ],
    [
      'src/a/new/n.ts',
      "import '../low/z.ts';",
      'src/a/new/n.ts:1: no room of src/a holds this file',
    ],
  ])('%s may not import what lies above', (path, text, line) => {
    expect(inner(path, text)).toEqual([line]);
  });
});

const judge = (path: string, text: string): string[] =>
  judgeImports([path], importsOf({ path, text }));

describe('a forbidden import is flagged', () => {
  test.each([
    ["import { a } from '../explore/search.ts';", 'arch must not import explore'],
    ["import type { A } from '../port/cpu.ts';", 'arch must not import port'],
    ["export { a } from '../port/cpu.ts';", 'arch must not import port'],
    ["export * from '../port/cpu.ts';", 'arch must not import port'],
    ["export type { A } from '../port/cpu.ts';", 'arch must not import port'],
    ["import '../cli/main.ts';", 'arch must not import cli'],
    ["const a = await import('../cli/main.ts');", 'arch must not import cli'],
    ["type A = import('../port/cpu.ts').Cpu;", 'arch must not import port'],
    ["import {\n  a,\n  type B,\n} from '../port/cpu.ts';", 'arch must not import port'],
    ["import a, * as b from '../port/cpu.ts';", 'arch must not import port'],
    ["import { a } from '#sync';", 'arch must not import sync'],
    ["import { a } from '#other';", 'in no room'],
    ["import { a } from '../../test/helper.ts';", 'in no room'],
    ["import { a } from '../../../outside.ts';", 'in no room'],
    ["import { a } from '../../workers/vcpu.ts';", 'arch must not import workers'],
  ])('%s', (text, message) => {
    expect(judge('src/arch/a.ts', text)).toEqual([expect.stringContaining(message)]);
  });

  test('with file and line', () => {
    const text = "/** Header. */\nimport { b } from './b.ts';\nimport { c } from '../cli/c.ts';\n";
    expect(judge('src/report/a.ts', text)).toEqual([
      "src/report/a.ts:3: report must not import cli ('../cli/c.ts')",
    ]);
  });

  test('from a worker and from a benchmark', () => {
    expect(judge('workers/vcpu.ts', "import '../src/checker/a.ts';")).toHaveLength(1);
    expect(judge('bench/a.ts', "import '../src/cli/main.ts';")).toHaveLength(1);
    expect(judge('bench/a.ts', "import '../src/stress/a.ts';")).toEqual([]);
  });
});

describe('what is allowed is not flagged', () => {
  test.each([
    ["import { a } from './other.ts';"],
    ["import { assert } from '../arch/assert.ts';"],
    ["import { join } from 'node:path';"],
    ["// import { a } from '../cli/main.ts';"],
    ["/* export * from '../cli/main.ts'; */"],
    ['const text = "import { a } from \'x\'"; export const from = 1;'],
    ["const quote = /['\"]/; // import '../cli/a.ts'"],
  ])('%s', (text) => {
    expect(judge('src/port/a.ts', text)).toEqual([]);
  });
});

test('a file in no listed room is flagged', () => {
  expect(judge('src/attic/a.ts', '')).toEqual([
    'src/attic/a.ts:1: no room of the table holds this file',
  ]);
  expect(judge('src/main.ts', '')).toHaveLength(1);
  expect(judge('src/cli/commands/stress.ts', "import '../../stress/run.ts';")).toEqual([]);
});

test('a cycle of rooms is found and named', () => {
  const edges = edgesOf([
    ...importsOf({ path: 'src/arch/a.ts', text: "import '../port/b.ts';" }),
    ...importsOf({ path: 'src/port/b.ts', text: "import '../result/c.ts';" }),
    ...importsOf({ path: 'src/result/c.ts', text: "import type { A } from '../port/b.ts';" }),
  ]);
  expect(findCycle(edges)).toEqual(['port', 'result', 'port']);
});

test('a second importer of the pool is seen, by whatever path', () => {
  const pool = [
    ...importsOf({ path: 'src/stress/group/pool.ts', text: "import { Piscina } from 'piscina';" }),
    ...importsOf({ path: 'src/cli/a.ts', text: "import type { X } from 'piscina/dist/types.js';" }),
  ];
  expect(importersOf('piscina', pool)).toEqual(['src/stress/group/pool.ts', 'src/cli/a.ts']);
});
