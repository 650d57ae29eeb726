/** C that is no protocol: one line with the user's file and line, and what would be right. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadProtocolFile } from '../../src/request/protocol-file.ts';
import { UsageError } from '../../src/request/usage-error.ts';
import { errorIn, warningsIn } from '../../src/native/diagnostics.ts';
import { sourceTree } from '../../src/native/source-tree.ts';
import { folderWith, HEAD, noCompiler, runWith } from './compiled.ts';

/** What is said of the file, which is called by its name. */
async function problemOf(text: string | Uint8Array, name = 'mine.c'): Promise<string> {
  const file = path.join(folderWith({ [name]: text }), name);
  const error: unknown = await loadProtocolFile(file).then(
    () => new Error('loaded'),
    (thrown: unknown) => thrown,
  );
  const told = error instanceof UsageError ? '' : 'not a UsageError: ';
  return `${told}${(error as Error).message}`.replaceAll(file, name);
}

/** All of the line, where it is given. A dot matches no end of line. */
const patternOf = (says: string | RegExp): RegExp =>
  typeof says === 'string'
    ? new RegExp(`^${RegExp.escape(says)}$`)
    : new RegExp(`${says.source}.*$`);

const IMPORTS = `__attribute__((import_module("port"), import_name("frob"))) void frob(void);\n`;
const HUGE = `static char big[1 << 21] = { 1 };\nchar *volatile kept = big;\n`;

describe.skipIf(noCompiler !== null)('C', () => {
  test.each<[string, string, string | RegExp]>([
    ['an error', runWith('int x = ;'), 'mine.c:8:11: expected expression'],
    [
      'a function that nobody has',
      runWith('frob(t->ptep);'),
      /^mine\.c:8:3: call to undeclared function 'frob'/,
    ],
    [
      'one that is declared only',
      runWith('frob(3);', 'extern void frob(int);\n'),
      /^mine\.c:9:3: frob is declared and nowhere defined; a protocol has no library/,
    ],
    [
      'an import that is not there',
      runWith('frob();', IMPORTS),
      /^mine\.c:9:3: it imports port\.frob/,
    ],
    [
      'a word of the architecture that is none',
      runWith('dsb(sy);'),
      /^mine\.c:8:3: no DSB is called sy; there are ish,/,
    ],
    [
      'huge statics',
      runWith('kept[t->level] = 1;', HUGE),
      /^mine\.c: 2,.* bytes of static data; a protocol may have 1024 KiB/,
    ],
    [
      'statics of which an object would be a gigabyte',
      runWith('kept[t->level] = 1;', HUGE.replace('[1 << 21] = { 1 }', '[1 << 30]')),
      /^mine\.c: 1,07.* bytes of static data; a protocol may have 1024 KiB/,
    ],
    ['no run', HEAD, 'mine.c: it has no function `static void run(const struct transition *t)`'],
    [
      'no protocol',
      runWith('').replace(/STAGE2_PROTOCOL.*/, ''),
      /^mine\.c: it has no STAGE2_PROTOCOL \{/,
    ],
    [
      'a kind that is none',
      runWith('').replace('coalesce', 'merge'),
      'mine.c: STAGE2_PROTOCOL has kind = "merge"; it must be one of coalesce|split|unmap|map|protect|relocate',
    ],
    [
      'a protocol without the header, whose first error says nothing of it',
      runWith('dsb(ish);').replace(/#include.*/, '/* include/stage2-stress.h lists the words. */'),
      'mine.c: it does not #include "stage2-stress.h"',
    ],
    ['nothing at all', '', 'mine.c: it does not #include "stage2-stress.h"'],
  ])('%s', async (_, text, says) => {
    const problem = await problemOf(text);
    expect(problem).toMatch(patternOf(says));
  });
});

test.each<[string, string | Uint8Array, string | RegExp]>([
  ['mine.c', new Uint8Array([0, 1, 2]), 'mine.c: not the text of a C program'],
  [
    'mine.c',
    '#define X "a.h"\n#include X\n',
    'mine.c:2: write the name of the included file itself',
  ],
  ['mine.wasm', 'hello', /^mine\.wasm: not a WebAssembly module/],
  [
    'mine.wasm',
    new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]),
    /^mine\.wasm: not made with include\/stage2-stress\.h/,
  ],
  ['mine.cpp', '', /^mine\.cpp: not a \.ts or \.js file .*, a \.c file/],
])('%s with %j needs no compiler to be refused', async (name, text, says) => {
  const problem = await problemOf(text, name);
  expect(problem).toMatch(patternOf(says));
});

describe('what compilers write', () => {
  const file = path.join(
    folderWith({ 'a.c': '#include "b.h"\n', 'b.h': '#include "stage2-stress.h"\nint b;\n' }),
    'a.c',
  );
  const tree = sourceTree(file);

  test('is the first error and how many more, each once', () => {
    const output = [
      `${file}:3:5: warning: unused variable 'x' [-Wunused-variable]`,
      `${file}:4:5: error: no good`,
      `${file}:4:5: error: no good`,
      `${file}:5:5: fatal error: worse`,
      'clang: error: linker command failed with exit code 1 (use -v to see invocation)',
    ].join('\n');
    expect(errorIn(output, file, tree)).toBe(`${file}:4:5: no good (and 1 more error)`);
    expect(warningsIn(output)).toEqual([`${file}:3:5: unused variable 'x' [-Wunused-variable]`]);
  });

  test('and where they say nothing, that is said', () => {
    expect(errorIn('', file, tree)).toBe(`${file}: the compiler failed and does not say why`);
    expect(errorIn('LLVM ERROR: out of memory\n', file, tree)).toBe(
      `${file}: the compiler failed: LLVM ERROR: out of memory`,
    );
  });

  test('a tree has each included file once, and no header of ours', () => {
    expect(tree.map(({ path: name }) => path.basename(name))).toEqual(['a.c', 'b.h']);
  });
});
