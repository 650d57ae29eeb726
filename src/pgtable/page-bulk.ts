/**
 * What is done to a whole table page at once. Entry by entry it would be a quarter of the time of a split
 * and a coalesce. The pool is given these by whoever owns the memory (machine/wasm-bulk.ts).
 *
 * Only for pages that nobody else reaches: not linked yet, or unlinked and flushed. A walker that should not
 * be there all the same sees each entry whole.
 */
import type { Table } from '../port/tables.ts';

export interface PageBulk {
  /** Entry i becomes the descriptor of these halves plus i times `step`. */
  fill(page: Table, low: number, high: number, step: number): void;
  /** Is each entry the descriptor of these halves? */
  holdsOnly(page: Table, low: number, high: number): boolean;
  /** How many entries are valid, tables among them. */
  countValid(page: Table): number;
}
