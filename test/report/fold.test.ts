import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { columnsWanted, folding } from '../../src/cli/terminal.ts';
import { shellWord } from '../../src/package/command-line.ts';
import { fold, foldLine } from '../../src/report/fold.ts';
import { type Column, renderTable } from '../../src/report/table.ts';

describe('fold', () => {
  it('leaves alone what fits', () => {
    expect(fold('a b\n\n  c  d\n', 8)).toBe('a b\n\n  c  d\n');
  });

  it('breaks text between words, further lines two in', () => {
    expect(foldLine('  note: one two three', 16)).toEqual(['  note: one two', '    three']);
  });

  it('keeps text in its column', () => {
    expect(foldLine('why  one two three', 14)).toEqual(['why  one two', '     three']);
    expect(foldLine('a b  cd  one two three', 18)).toEqual(['a b  cd  one two', '         three']);
  });

  it('does not count colours', () => {
    const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
    expect(foldLine(`${red('FAIL')} in a b c`, 13)).toEqual([`${red('FAIL')} in a b c`]);
    expect(foldLine(`${red('FAIL')} in a b cd`, 12)).toEqual([`${red('FAIL')} in a b`, '  cd']);
  });

  it('leaves a word whole that is wider than the line', () => {
    expect(foldLine(`ab ${'x'.repeat(12)} c`, 10)).toEqual(['ab', `  ${'x'.repeat(12)}`, '  c']);
  });
});

/** What a shell makes of lines that were pasted. */
const pasted = (lines: readonly string[]): string =>
  lines
    .join('\n')
    .replaceAll(/\\\n */g, (found) => found.replaceAll(/[\\\n]/g, ''))
    .replaceAll(/\s+/g, ' ')
    .trim();

describe('a command', () => {
  it('is broken between arguments, and can be pasted', () => {
    const line = '  next  npm run explore -- --protocol ./mine.ts --cpu bbm=2,nt=ignored';
    const lines = foldLine(line, 40);
    expect(lines).toEqual([
      '  next  npm run explore -- --protocol \\',
      '    ./mine.ts --cpu bbm=2,nt=ignored',
    ]);
    expect(pasted(lines)).toBe(line.trim().replaceAll(/ +/g, ' '));
  });

  it('begins on its own line where what is before it leaves no room', () => {
    const line = '  a protocol on a CPU, two vCPUs: npm run replay -- r1:abc';
    for (const columns of [35, 37, 38]) {
      expect(foldLine(line, columns)).toEqual([
        '  a protocol on a CPU, two vCPUs:',
        '    npm run replay -- r1:abc',
      ]);
    }
    expect(foldLine(line, 39)[0]).toBe('  a protocol on a CPU, two vCPUs: npm \\');
  });

  it('has a token on a line of its own, further left where it must', () => {
    const from = '    replay: npm --prefix /a run replay -- ';
    expect(foldLine(from + 't'.repeat(30), 44)[0]).toBe(`${from}\\`);
    expect(foldLine(`    replay: npm run replay -- ${'t'.repeat(30)}`, 33)).toEqual([
      '    replay: npm run replay -- \\',
      `   ${'t'.repeat(30)}`,
    ]);
  });

  it('breaks a longer token where the shell joins it again', () => {
    const lines = foldLine(`npm run replay -- ${'t'.repeat(50)}`, 20);
    expect(Math.max(...lines.map((line) => line.length))).toBe(20);
    expect(lines.slice(1).join('\n').replaceAll('\\\n', '')).toBe('t'.repeat(50));
  });

  it.each([3, 5, 8, 20, 41])(
    'breaks a quoted path where a shell joins it again, at %i',
    (blank) => {
      const file = `${'a'.repeat(blank)} it's ${'b'.repeat(41 - blank)}`;
      for (let columns = 18; columns < 50; columns += 3) {
        const lines = foldLine(`npm run replay -- t --protocol ${shellWord(file)}`, columns);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
        // Nothing but the shell says what it takes.
        const said = spawnSync('sh', ['-c', lines.join('\n').replace('npm run', 'printf "%s\n"')]);
        expect(said.stdout.toString().split('\n').slice(-2)).toEqual([file, '']);
      }
    },
  );

  it('breaks a sequence between its steps', () => {
    expect(foldLine('npm run explore -- --sequence "str 0; dsb ishst; str block"', 44)).toEqual([
      'npm run explore -- --sequence "str 0;',
      '  dsb ishst; str block"',
    ]);
  });
});

describe('a table that is too wide', () => {
  const column = (title: string, cells: readonly string[], folds = false): Column => ({
    group: '',
    title,
    align: 'left',
    cells,
    ...(folds ? { folds: true } : {}),
  });

  it('is folded in columns that say so', () => {
    const table = [column('a', ['1', '2']), column('rules', ['one, two', 'x'], true)];
    expect(renderTable(table, 8)).toEqual(['a  rules', '1  one,', '   two', '2  x']);
    expect(renderTable(table, 80)).toEqual(['a  rules', '1  one, two', '2  x']);
  });

  it('tears a group that is wider than the room', () => {
    const group = ['x', 'y', 'z'].map((title) => ({ ...column(title, ['12345']), group: 'all' }));
    expect(renderTable([column('p', ['a']), ...group], 10)).toEqual([
      ...['   all', 'p  x', 'a  12345', ''],
      ...['   all', 'p  y', 'a  12345', ''],
      ...['   all', 'p  z', 'a  12345'],
    ]);
  });
});

test.each([
  [{ isTTY: true, columns: 100 }, undefined, 100],
  [{ isTTY: true, columns: 100 }, '80', 80],
  [{ isTTY: true, columns: 20 }, undefined, 60],
  [{ isTTY: true, columns: 400 }, undefined, 160],
  [{}, '80', 80],
  [{}, 'wide', null],
  [{}, undefined, null],
])('a terminal %o with COLUMNS=%s is %s wide', (stream, asked, columns) => {
  expect(columnsWanted(stream, asked)).toBe(columns);
});

it('folds nothing where nobody looks', () => {
  let text = '';
  folding(null, (more) => (text += more))('a b c\n');
  folding(4, (more) => (text += more))('a b c\n');
  expect(text).toBe('a b c\na b\n  c\n');
});
