/**
 * HTML that cannot be broken by what stands in a result: protocol names, reasons and events come
 * from users. In an `html` template every value is escaped, whether it lands in text or in a quoted
 * attribute; only what an `html` template made goes through as it is.
 */
import { visible } from '../visible.ts';

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = Html | string | number | readonly HtmlValue[];

export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(
    parts.map((part, i) => part + (i < values.length ? render(values[i]) : '')).join(''),
  );
}

export const NOTHING = new Html('');

/**
 * An id within one result, made from what it names; the page makes it its own (`page.ts`).
 */
export const ANCHOR = 'at-';

export function anchor(name: string, prefix = ANCHOR): string {
  return prefix + name.replaceAll(/[^\w-]+/g, '-');
}

function render(value: HtmlValue | undefined): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return value.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (c) => ENTITIES[c] as string);
}
