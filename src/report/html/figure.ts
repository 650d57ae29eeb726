/** A chart on the page: drawing, how to read it, and its numbers as a table. */
import type { Chart } from '../charts/chart.ts';
import { Html, html, NOTHING } from './html.ts';
import { table } from './table.ts';

export function figure(chart: Chart, of: string): Html {
  const columns = chart.columns.map((title, i) => ({
    title,
    align: i === 0 ? ('left' as const) : ('right' as const),
  }));
  // The one place where text goes through as it is: Plot made it, and escapes what it is given.
  return html`<figure>
    <figcaption>
      <strong>${chart.title}</strong><span class="soft">${chart.caption}</span>
    </figcaption>
    <div class="scroll">${new Html(chart.svg)}</div>
    <details>
      <summary>Numbers of this chart</summary>
      ${table(`${chart.title}: ${of}`, columns, chart.rows)}
    </details>
  </figure>`;
}

export function figures(charts: readonly (Chart | null)[], of: string): Html {
  const there = charts.filter((chart) => chart !== null);
  if (there.length === 0) return NOTHING;
  return html`<div class="charts">${there.map((chart) => figure(chart, of))}</div>`;
}
