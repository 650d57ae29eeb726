/**
 * Draws a Plot chart to SVG text without a browser: Plot needs a document only to create elements,
 * and linkedom's is small. Colours are the page's CSS variables, so that one drawing serves light
 * and dark.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** As wide as a phone: wider pages put charts side by side instead of stretching them. */
export const CHART_WIDTH = 372;

/** `label` is what a screen reader says of the whole picture; the numbers are in a table beside it. */
export function draw(label: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html></html>');
  const chart = Plot.plot({
    document,
    className: 'chart',
    width: CHART_WIDTH,
    style: { fontSize: '12px' },
    ...options,
  });
  chart.setAttribute('role', 'img');
  chart.setAttribute('aria-label', label);
  // Parts of a picture are not worth a stop each: the label and the table say it.
  for (const part of chart.querySelectorAll('[aria-label]'))
    part.setAttribute('aria-hidden', 'true');
  return chart.outerHTML;
}
