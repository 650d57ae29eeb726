/**
 * Tables of text: two lines of headings (groups over columns), then rows.
 *
 *                   window µs          <- groups, each over its neighbouring columns
 *   protocol      p50   p99    max     <- titles
 *   bbm-late      4.1  12.0    310
 *
 * What is too wide is first folded in columns that say so, between words; what then does not fit goes
 * into further tables below. Cells are plain text; colour goes on after everything has its width.
 */
import { type Paint, PLAIN, type Style } from './paint.ts';
import { wrap } from './wrap.ts';

export interface Column {
  /** Neighbours of one group share its heading; empty for none. */
  readonly group: string;
  readonly title: string;
  readonly align: 'left' | 'right';
  /** One per row. */
  readonly cells: readonly string[];
  readonly style?: (cell: string) => Style | null;
  /** With the first column it says which row this is: further tables repeat it, too. */
  readonly names?: true;
  /** Its cells may take several lines, broken between words, where the table is too wide. */
  readonly folds?: true;
}

const GAP = '  ';

/**
 * The lines of a table. What does not fit goes into a second table below, and so on, each of which
 * repeats the columns that name its rows; groups are not torn apart that fit beside those.
 */
export function renderTable(
  columns: readonly Column[],
  columnsMax: number,
  paint: Paint = PLAIN,
): string[] {
  return split(folded(columns, columnsMax), columnsMax).flatMap((part, i) => [
    ...(i === 0 ? [] : ['']),
    ...renderPart(i === 0 ? part : withoutBlank(part), paint),
  ]);
}

/** Columns that fold made narrower, the widest first, until all fit or none can give more. */
function folded(columns: readonly Column[], columnsMax: number): readonly Column[] {
  const widths = widthsOf(columns);
  const least = columns.map(({ folds, cells, title }, i) =>
    folds === true ? longestWord([title, ...cells]) : (widths[i] as number),
  );
  let over = totalWidth(widths) - columnsMax;
  if (over <= 0 || columns.every(({ folds }) => folds !== true)) return columns;
  for (; over > 0; over--) {
    const spare = widths.map((width, i) => (width > (least[i] as number) ? width : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return inLines(columns, widths);
}

/** Lines that only cells of another part needed. */
function withoutBlank(columns: readonly Column[]): readonly Column[] {
  const rows = Math.max(...columns.map(({ cells }) => cells.length));
  const kept = Array.from({ length: rows }, (_, row) => row).filter((row) =>
    columns.some(({ cells }) => (cells[row] ?? '') !== ''),
  );
  return columns.map((column) => ({
    ...column,
    cells: kept.map((row) => column.cells[row] ?? ''),
  }));
}

const longestWord = (texts: readonly string[]): number =>
  Math.max(...texts.flatMap((text) => text.split(' ').map((word) => word.length)));

/** Each row as the lines of its highest cell. */
function inLines(columns: readonly Column[], widths: readonly number[]): readonly Column[] {
  const cells = columns.map(({ cells, folds }, i) =>
    cells.map((cell) => (folds === true ? wrap(cell, widths[i] as number) : [cell])),
  );
  const rows = Math.max(...cells.map((own) => own.length));
  const heights = Array.from({ length: rows }, (_, row) =>
    Math.max(...cells.map((own) => own[row]?.length ?? 1)),
  );
  return columns.map((column, i) => ({
    ...column,
    cells: heights.flatMap((height, row) =>
      Array.from({ length: height }, (_, line) => cells[i]?.[row]?.[line] ?? ''),
    ),
  }));
}

/**
 * The first column, and those behind it that name a row, too, as long as half of the room is left and
 * each other column has room beside them.
 */
function namesOf(columns: readonly Column[], columnsMax: number): Column[] {
  const end = columns.findIndex(({ names }, i) => i > 0 && names !== true);
  const all = columns.slice(0, end < 0 ? columns.length : end);
  const widthOf = (own: readonly Column[]): number => totalWidth(widthsOf(own));
  const hasRoom =
    widthOf(all) <= columnsMax / 2 &&
    columns.slice(all.length).every((column) => widthOf([...all, column]) <= columnsMax);
  return hasRoom ? all : columns.slice(0, 1);
}

function split(columns: readonly Column[], columnsMax: number): Column[][] {
  const names = namesOf(columns, columnsMax);
  const others = columns.slice(names.length);
  if (names.length === 0) return [];
  const parts: Column[][] = [names];
  for (const span of spans(others)) {
    const group = others.slice(span.first, span.last + 1);
    const fits = (own: readonly Column[]): boolean => totalWidth(widthsOf(own)) <= columnsMax;
    const isTorn = !fits([...names, ...group]);
    for (const piece of isTorn ? group.map((column) => [column]) : [group]) {
      const last = parts.at(-1) as Column[];
      if (fits([...last, ...piece]) || last.length === names.length) {
        parts[parts.length - 1] = [...last, ...piece];
      } else parts.push([...names, ...piece]);
    }
  }
  return parts;
}

function renderPart(columns: readonly Column[], paint: Paint): string[] {
  const widths = widthsOf(columns);
  const groups = groupLine(columns, widths);
  const lines = groups === '' ? [] : [paint('dim', groups)];
  lines.push(
    paint(
      'bold',
      rowLine(columns.map((column, i) => pad(column, column.title, widths[i] as number))),
    ),
  );
  const rows = Math.max(...columns.map((column) => column.cells.length));
  for (let row = 0; row < rows; row++) {
    lines.push(
      rowLine(
        columns.map((column, i) =>
          styled(column, column.cells[row] ?? '', widths[i] as number, paint),
        ),
      ),
    );
  }
  return lines;
}

/**
 * Widths of the columns; a group's heading that is wider than its columns widens the last of them.
 */
function widthsOf(columns: readonly Column[]): number[] {
  const widths = columns.map((column) =>
    Math.max(column.title.length, ...column.cells.map((cell) => cell.length)),
  );
  for (const { first, last, name } of spans(columns)) {
    const missing = name.length - totalWidth(widths.slice(first, last + 1));
    if (missing > 0) widths[last] = (widths[last] as number) + missing;
  }
  return widths;
}

function totalWidth(widths: readonly number[]): number {
  return (
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1)
  );
}

interface Span {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

function spans(columns: readonly Column[]): readonly Span[] {
  const found: Span[] = [];
  for (const [i, { group }] of columns.entries()) {
    const before = found.at(-1);
    if (before && group !== '' && before.name === group)
      found.splice(-1, 1, { ...before, last: i });
    else found.push({ name: group, first: i, last: i });
  }
  return found;
}

function groupLine(columns: readonly Column[], widths: readonly number[]): string {
  const parts = spans(columns).map(({ name, first, last }) => {
    const width = totalWidth(widths.slice(first, last + 1));
    return columns[first]?.align === 'right' ? name.padStart(width) : name.padEnd(width);
  });
  return parts.join(GAP).trimEnd();
}

function rowLine(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd();
}

function pad(column: Column, text: string, width: number): string {
  return column.align === 'right' ? text.padStart(width) : text.padEnd(width);
}

function styled(column: Column, cell: string, width: number, paint: Paint): string {
  const style = column.style?.(cell) ?? null;
  const padded = pad(column, cell, width);
  return style === null || cell === '' ? padded : padded.replace(cell, paint(style, cell));
}

/** Rows of cells with every column but the last as wide as it needs. Rows may differ in length. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.slice(0, -1).entries())
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] as number)))
      .join(GAP)
      .trimEnd(),
  );
}
