/** No file takes part in a circle, and no folder is a heap; each is first shown one that breaks it. */
import { describe, expect, test } from 'vitest';
import { circlesOf, graphOf } from './circles.ts';
import { filesPerFolder, FILES_MAX } from './folders.ts';
import { importsOf } from './imports.ts';
import { readSources } from './source-files.ts';

const files = readSources('src');
const imports = files.flatMap(importsOf);
const values = imports.filter(({ typesOnly }) => !typesOnly);

/** A circle of types that says what is so, by its files; none is known. */
const HONEST: readonly (readonly string[])[] = [];

describe('files of src', () => {
  test('do not import values in a circle', () => {
    expect(circlesOf(graphOf(values))).toEqual([]);
  });

  test('import types in a circle only where it is honest', () => {
    expect(circlesOf(graphOf(imports))).toEqual(HONEST);
  });
});

describe('a circle', () => {
  const graph = (...texts: readonly string[]): ReturnType<typeof graphOf> =>
    graphOf(texts.flatMap((text, i) => importsOf({ path: `src/a/${'abc'.charAt(i)}.ts`, text })));

  test.each([
    ["import { b } from './b.ts';"],
    ["import './b.ts';"],
    ["export * from './b.ts';"],
    ["const b = () => import('./b.ts');"],
    ["import type { B } from './b.ts';"],
  ])('is seen that begins with %s', (text) => {
    const circles = circlesOf(
      graph(text, "import { c } from './c.ts';", "import { a } from './a.ts';"),
    );
    expect(circles).toEqual([['src/a/a.ts', 'src/a/b.ts', 'src/a/c.ts']]);
  });

  test('is seen of one file alone', () => {
    expect(circlesOf(graph("import { a } from './a.ts';"))).toEqual([['src/a/a.ts']]);
  });

  test('is none where two ways lead to one file, and two circles are two', () => {
    const twoWays = graph("import './b.ts'; import './c.ts';", "import './c.ts';", '');
    expect(circlesOf(twoWays)).toEqual([]);
    const two = new Map([
      ['a', new Set(['b', 'c'])],
      ['b', new Set(['a'])],
      ['c', new Set(['d'])],
      ['d', new Set(['c'])],
    ]);
    expect(circlesOf(two)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });
});

test.each([
  ["import type { B } from './b.ts';", true],
  ["export type { B } from './b.ts';", true],
  ["type B = import('./b.ts').B;", true],
  ["type B = typeof import('./b.ts');", true],
  ["import { type B } from './b.ts';", false],
  ["import { type B, c } from './b.ts';", false],
  ["const { B } = await import('./b.ts');", false],
  ["import b from './b.ts';", false],
])('%s: types only? %s', (text, typesOnly) => {
  expect(importsOf({ path: 'src/a/a.ts', text })).toEqual([
    expect.objectContaining({ target: 'src/a/b.ts', typesOnly }),
  ]);
});

describe('folders of src', () => {
  test('hold no more files than one can look over', () => {
    const heaps = [...filesPerFolder(files.map(({ path }) => path))].filter(
      ([, count]) => count > FILES_MAX,
    );
    expect(heaps).toEqual([]);
  });

  test('are counted file by file, without the folders below', () => {
    const counts = filesPerFolder(['src/a/b.ts', 'src/a/c.ts', 'src/a/d/e.ts']);
    expect([...counts]).toEqual([
      ['src/a', 2],
      ['src/a/d', 1],
    ]);
  });
});
