/** `--protocol mine.wasm`: a module made elsewhere, with no compiler here. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { explore } from 'stage2-stress';
import { loadProtocolFile } from '../../src/request/protocol-file.ts';
import { UsageError } from '../../src/request/usage-error.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { typed } from '../cli/program.ts';
import { breakBeforeMake, moduleOf, type ModuleParts } from './assembler.ts';
import { folderWith } from './compiled.ts';

const fileOf = (parts: ModuleParts): string =>
  path.join(folderWith({ 'mine.wasm': moduleOf(parts) }), 'mine.wasm');

async function problemOf(parts: ModuleParts): Promise<string> {
  const file = fileOf(parts);
  const error: unknown = await loadProtocolFile(file).then(
    () => new Error('loaded'),
    (thrown: unknown) => thrown,
  );
  return `${error instanceof UsageError ? '' : 'not a UsageError: '}${(error as Error).message}`;
}

const UNREACHABLE = [0x00];
const LOOP = [0x03, 0x40, 0x0c, 0x00, 0x0b];
/** i32.load of address 0x7fffffff, dropped. */
const BEYOND = [0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x28, 0x02, 0x00, 0x1a];

describe('a module', () => {
  test('has the verdict of what it does, and a token that replays', async () => {
    const right = await explore({ protocol: fileOf({}) });
    expect(right.runs).toMatchObject([{ protocol: 'by-hand', verdict: 'safe' }]);
    const twin = await explore({ protocol: 'bbm-early' });
    expect(right.runs[0]?.states).toBe(twin.runs[0]?.states);

    const wrong = fileOf({ run: breakBeforeMake([]) });
    const folder = path.dirname(wrong);
    const shown = await typed(['explore', '--protocol', './mine.wasm'], folder);
    expect(shown).toMatchObject({ code: 1, err: '' });
    const [, token = ''] = /replay -- (r1:f:mine\.wasm:\S+)/.exec(shown.out) ?? [];
    expect((await typed(['replay', token], folder)).out).toContain('VIOLATION');
    // Of other bytes it is no token.
    writeFileSync(wrong, moduleOf({}));
    const other = await typed(['replay', token], folder);
    expect(other).toMatchObject({ code: 2, err: expect.stringContaining('mine.wasm') });
  });

  test('takes --ablate as any protocol does', async () => {
    const folder = path.dirname(fileOf({}));
    const flags = ['--protocol', './mine.wasm', '--cpu', 'bbm=1', '--ablate'];
    const ablated = await typed(['explore', ...flags], folder);
    expect(ablated).toMatchObject({ code: 0, err: '' });
    expect(ablated.out).toMatch(/tlbi vmalls12e1is +left out +needed: without it/);
  });

  test.each<[string, readonly number[], RegExp]>([
    ['a trap', UNREACHABLE, /^protocol by-hand threw: BUG_ON\(\), or code .* \(no place known\)$/],
    ['memory that it has not', BEYOND, /^protocol by-hand threw: a plain access where/],
  ])('that runs into %s says so', async (_, first, says) => {
    const { protocol } = await loadProtocolFile(fileOf({ run: breakBeforeMake([], first) }));
    expect(() => exploreProtocol({ protocol })).toThrow(says);
  });
});

describe('a module that is none of ours', () => {
  test.each<[string, ModuleParts, string]>([
    [
      'a start function',
      { start: LOOP },
      'it has a start function; a protocol begins at stage2_run',
    ],
    ['an abi that traps', { abi: UNREACHABLE }, 'stage2_stress_abi() does not return a version'],
    ['another abi', { abi: [0x41, 3] }, "made with another version's stage2-stress.h"],
    ['no run', { without: 'stage2_run' }, 'it exports no stage2_run'],
    ['no heap base', { without: '__heap_base' }, 'it must export memory, __stack_pointer'],
    ['no memory', { without: 'memory' }, 'it must export memory, __stack_pointer'],
    ['a heap base beyond its memory', { heapBase: 1 << 20 }, '__heap_base'],
    ['a negative heap base', { heapBase: -1 }, '__heap_base'],
    ['a description beyond its memory', { protocol: 65_530 }, 'stage2_protocol'],
    ['a stack pointer that is fixed', { isStackPointerFixed: true }, '__stack_pointer'],
    ['much memory', { pages: 20 }, '1,310,720 bytes of static data; a protocol may have 1024 KiB'],
    [
      'a name that is none',
      { name: 'By Hand' },
      'STAGE2_PROTOCOL has name = "By Hand"; it must be',
    ],
  ])('%s', async (_, parts, says) => {
    const problem = await problemOf(parts);
    expect(problem).toMatch(/^\/.*\/mine\.wasm: [^\n]+$/);
    expect(problem).toContain(says);
  });
});
