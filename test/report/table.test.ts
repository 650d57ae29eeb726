import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Paint } from '../../src/report/paint.ts';
import { alignColumns, type Column, renderTable } from '../../src/report/table.ts';

const column = (group: string, title: string, ...cells: string[]): Column => ({
  group,
  title,
  align: 'right',
  cells,
});

const COLUMNS: readonly Column[] = [
  { group: '', title: 'name', align: 'left', cells: ['first', 'second one'] },
  column('window µs', 'p50', '1', '22'),
  column('window µs', 'p99', '333', '4'),
  column('lock time ns', 'p50', '7', '8'),
];

describe('renderTable', () => {
  it('puts groups over their columns', () => {
    expect(renderTable(COLUMNS, 80).join('\n')).toMatchInlineSnapshot(`
      "            window µs  lock time ns
      name        p50   p99           p50
      first         1   333             7
      second one   22     4             8"
    `);
  });

  it('goes on below when it is too wide, with whole groups', () => {
    expect(renderTable(COLUMNS, 30).join('\n')).toMatchInlineSnapshot(`
      "            window µs
      name        p50   p99
      first         1   333
      second one   22     4

                  lock time ns
      name                 p50
      first                  7
      second one             8"
    `);
  });

  it('repeats what else names a row, where that leaves half of the room', () => {
    const name: Column = { ...column('', 'name', 'a', 'a'), align: 'left' };
    const cpu: Column = { ...column('', 'cpu', 'bbm=1', 'bbm=2'), align: 'left', names: true };
    const columns = [name, cpu, column('', 'states', '12', '34'), column('', 'time', '5 s', '6 s')];
    expect(renderTable(columns, 22).join('\n')).toMatchInlineSnapshot(`
      "name  cpu    states
      a     bbm=1      12
      a     bbm=2      34

      name  cpu    time
      a     bbm=1   5 s
      a     bbm=2   6 s"
    `);
    expect(renderTable(columns, 21).join('\n')).toMatchInlineSnapshot(`
      "name  cpu    states
      a     bbm=1      12
      a     bbm=2      34

      name  time
      a      5 s
      a      6 s"
    `);
  });

  it('repeats the first column alone where another would have no room beside all that name a row', () => {
    const name: Column = { ...column('', 'name', 'a'), align: 'left' };
    const cpu: Column = { ...column('', 'cpu', 'bbm=1'), align: 'left', names: true };
    const lines = renderTable([name, cpu, column('', 'rules', 'break-before-make')], 24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(24);
    expect(lines.at(-1)).toBe('a     break-before-make');
  });

  it('leaves no line blank below that only a folded cell above needed', () => {
    const rules: Column = {
      ...column('', 'rules', 'stale, freed, conflict', 'stale'),
      align: 'left',
      folds: true,
    };
    const name: Column = { ...column('', 'name', 'first', 'second'), align: 'left' };
    const time = column('', 'elapsed time', '0.1 s', '0.2 s');
    expect(renderTable([name, rules, time], 17).join('\n')).toMatchInlineSnapshot(`
      "name    rules
      first   stale,
              freed,
              conflict
      second  stale

      name    elapsed time
      first          0.1 s
      second         0.2 s"
    `);
  });

  it('never exceeds its width where one group can fit, and loses no column', () => {
    const cell = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 })
      .map((s) => s.replaceAll(/\s/g, '.'));
    const columns = fc.array(
      fc.record({
        group: fc.constantFrom('', 'alpha', 'beta gamma'),
        title: cell,
        align: fc.constantFrom('left' as const, 'right' as const),
        cells: fc.tuple(cell, cell),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(columns, (all) => {
        // Groups are of neighbours: at most all twelve columns in one.
        for (const line of renderTable(all, 140)) expect(line.length).toBeLessThanOrEqual(140);
        const text = renderTable(all, 40).join('\n');
        for (const one of all)
          for (const part of [one.title, ...one.cells]) expect(text).toContain(part);
      }),
    );
  });

  it('colours without moving anything', () => {
    const paint: Paint = (style, text) => `<${style}>${text}</>`;
    const painted = renderTable(
      [{ ...column('', 'v', 'pass', 'x'), style: () => 'green' }],
      80,
      paint,
    );
    expect(painted).toEqual(['<bold>   v</>', '<green>pass</>', '   <green>x</>']);
  });
});

describe('alignColumns', () => {
  it('makes every column but the last as wide as it needs', () => {
    expect(
      alignColumns([['a', 'bb', 'long last cell'], ['aaa', 'b', 'x'], ['', '', 'y'], ['one cell']]),
    ).toEqual(['a    bb  long last cell', 'aaa  b   x', '         y', 'one cell']);
  });
});
