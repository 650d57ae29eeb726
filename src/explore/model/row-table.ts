/**
 * Rows of integers, each kept once and numbered in the order in which they came: what the search has
 * seen. Open addressing over typed arrays, because a `Map` of a million states takes ten times the
 * memory and hashes numbers above 2^31 badly.
 *
 *   slots   power of two, at most half full: number of a row plus 1, 0 for none
 *   rows    row 0, row 1, …: `width` integers each
 */
import { assert } from '../../arch/assert.ts';
import { zeros } from './cut.ts';

const SLOTS_MIN = 64;
const BYTES_PER_INTEGER = Int32Array.BYTES_PER_ELEMENT;

/** Row numbers plus 1 have to fit a slot. */
const ROWS_MAX = 2 ** 30;

export class RowTable {
  readonly #width: number;
  #slots = zeros(SLOTS_MIN);
  #rows: Int32Array;
  #size = 0;

  constructor(width: number) {
    assert(width > 0, 'a row has numbers in it');
    this.#width = width;
    this.#rows = zeros((width * SLOTS_MIN) / 2);
  }

  get size(): number {
    return this.#size;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return (this.#slots.length + this.#rows.length) * BYTES_PER_INTEGER;
  }

  /** Must it grow to take one more row? */
  get isFull(): boolean {
    return this.#mustGrow(this.#size + 1);
  }

  /** The number of `row`, which is added (copied) if it is not there. New ones get `size`. */
  intern(row: Int32Array): number {
    const mask = this.#slots.length - 1;
    let slot = hash(row, 0, this.#width) & mask;
    for (;;) {
      const known = this.#slots[slot] as number;
      if (known === 0) break;
      if (this.#equals(known - 1, row)) return known - 1;
      slot = (slot + 1) & mask;
    }
    const number = this.#size++;
    assert(number < ROWS_MAX, 'a bound stops a search long before');
    this.#rows.set(row, number * this.#width);
    this.#slots[slot] = number + 1;
    if (this.#mustGrow(this.#size)) this.#grow();
    return number;
  }

  #mustGrow(size: number): boolean {
    return size * 2 >= this.#slots.length;
  }

  #equals(number: number, row: Int32Array): boolean {
    const from = number * this.#width;
    for (let i = 0; i < this.#width; i++) if (this.#rows[from + i] !== row[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = zeros(this.#slots.length * 2);
    const rows = zeros(this.#rows.length * 2);
    rows.set(this.#rows);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#size; number++) {
      let slot = hash(rows, number * this.#width, this.#width) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
    this.#rows = rows;
  }
}

/** FNV-like over whole integers, with the high bits brought down at the end. */
function hash(numbers: Int32Array, from: number, width: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < from + width; i++) {
    h = Math.imul(h ^ (numbers[i] as number), 0x9e3779b1);
    h ^= h >>> 15;
  }
  h = Math.imul(h, 0x85ebca6b);
  return h ^ (h >>> 13);
}
