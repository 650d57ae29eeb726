/** Tables of HTML: real headings with scope, in a region that scrolls by itself and by keyboard. */
import type { Column } from '../table.ts';
import { html, type Html, type HtmlValue, NOTHING } from './html.ts';

export interface HtmlColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Columns of text. */
export const columnsOf = (...titles: readonly string[]): HtmlColumn[] =>
  titles.map((title) => ({ title, align: 'left' }));

/** `label` names the table for people who do not see what stands around it. */
export function table(
  label: string,
  columns: readonly HtmlColumn[],
  rows: readonly (readonly HtmlValue[])[],
): Html {
  const head = html`<tr>
    ${columns.map((c) => heading(c.title, c.align))}
  </tr>`;
  return framed(
    label,
    html`<thead>
        ${head}
      </thead>
      <tbody>
        ${rows.map((row) => bodyRow(row, columns))}
      </tbody>`,
  );
}

export interface CellLinks {
  /** Title of the column whose cells are links. */
  readonly column: string;
  /** Null: this one is none. */
  href(row: number): string | null;
}

/** A table of the text report as HTML: groups over columns, the first column heads its row. */
export function columnsTable(label: string, columns: readonly Column[], links?: CellLinks): Html {
  const rows = Math.max(0, ...columns.map((c) => c.cells.length));
  const body = Array.from({ length: rows }, (_, row) =>
    bodyRow(
      columns.map((c) => {
        const cell = cellOf(c, c.cells[row] ?? '');
        const href = c.title === links?.column ? links.href(row) : null;
        return href === null ? cell : html`<a href="${href}">${cell}</a>`;
      }),
      columns,
    ),
  );
  const titles = html`<tr>
    ${columns.map((c) => heading(c.title, c.align))}
  </tr>`;
  return framed(
    label,
    html`<thead>
        ${groupRow(columns)}${titles}
      </thead>
      <tbody>
        ${body}
      </tbody>`,
  );
}

function framed(label: string, content: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table>
      <caption class="hidden">
        ${label}
      </caption>
      ${content}
    </table>
  </div>`;
}

function heading(title: string, align: 'left' | 'right'): Html {
  return html`<th scope="col" class="${align}">${title}</th>`;
}

/** Names stay on one line, sentences get room: a narrow screen scrolls a table, not breaks words. */
const SHORT_MAX = 28;
const LONG_MIN = 48;

function widthClass(cell: HtmlValue): string {
  if (typeof cell !== 'string') return '';
  return cell.length <= SHORT_MAX ? ' short' : cell.length >= LONG_MIN ? ' long' : '';
}

function bodyRow(cells: readonly HtmlValue[], columns: readonly HtmlColumn[]): Html {
  return html`<tr>
    ${cells.map((cell, i) => {
      const kind = `${columns[i]?.align ?? 'left'}${widthClass(cell)}`;
      return i === 0
        ? html`<th scope="row" class="${kind}">${cell}</th>`
        : html`<td class="${kind}">${cell}</td>`;
    })}
  </tr>`;
}

function cellOf(column: Column, cell: string): HtmlValue {
  const style = column.style?.(cell) ?? null;
  return style === null || cell === '' ? cell : html`<span class="${style}">${cell}</span>`;
}

function groupRow(columns: readonly Column[]): Html {
  if (columns.every((c) => c.group === '')) return NOTHING;
  const cells = runsOfGroups(columns).map(({ group, span }) =>
    group === ''
      ? html`<td colspan="${span}"></td>`
      : html`<th scope="colgroup" colspan="${span}" class="group">${group}</th>`,
  );
  return html`<tr>
    ${cells}
  </tr>`;
}

function runsOfGroups(columns: readonly Column[]): { group: string; span: number }[] {
  const found: { group: string; span: number }[] = [];
  for (const { group } of columns) {
    const before = found.at(-1);
    if (before?.group === group) before.span += 1;
    else found.push({ group, span: 1 });
  }
  return found;
}
