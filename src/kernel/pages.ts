/**
 * Pointers of the tree's code to table entries. A page of tables is a handle: 4 KiB of addresses above
 * the module's own memory, which hold nothing between two loads.
 *
 *   ENTRIES_AT        + 4096          + 8192
 *   +-----------------+---------------+---------------+
 *   | page of target  | first table   | …             |   512 entries each, in the kernel's eyes
 *   +-----------------+---------------+---------------+
 *
 * Of the first page the tree's code may touch the target alone. An entry that the machine's smaller
 * tables do not have reads as 0 unless it is being changed, and what is hung below it is nowhere.
 */
import type { Descriptor } from '../arch/descriptor.ts';
import { childLevel, type Level } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import type { Transition } from '../port/protocol.ts';
import type { Table, Tables } from '../port/tables.ts';
import { ENTRIES_AT, MEMORY_BYTES } from './compile.ts';
import { KERNEL_ENTRIES, kernelSize } from './scale.ts';

const PAGE_BYTES = 4096;
const ENTRY_BYTES = 8;
const PAGES_MAX = (MEMORY_BYTES - ENTRIES_AT) / PAGE_BYTES;
const ADDRESS = 0xffff_ffff_f000n;
const VALID = 1n;
const VALID_TABLE = 3n;

interface Page {
  /** Null: it hangs below an entry that the machine does not have. */
  readonly table: Table | null;
  /** Of its entries. */
  readonly level: Level;
}

/** An entry as a pointer names it. */
export interface Place {
  /** Null: the machine has no such entry. */
  readonly entry: Entry | null;
  /** Null for the page that holds the target. */
  readonly page: Page | null;
  readonly level: Level;
  readonly index: number;
}

export class Pages {
  readonly #tables: Tables;
  readonly #target: Place;
  readonly #targetAt: number;
  readonly #pages: Page[] = [];
  readonly #numberOf = new Map<bigint, number>();
  /** What entries hold that the machine does not have, while they are broken and owned. */
  readonly #broken = new Map<number, Descriptor>();
  /** What the tree's code has looked at last: a page it asks for next belongs below that. */
  #last: Place;

  constructor(tables: Tables, { entry, level, ipa }: Transition) {
    const index = Math.floor(ipa / kernelSize(level)) % KERNEL_ENTRIES;
    this.#tables = tables;
    this.#target = { entry, page: null, level, index };
    this.#targetAt = ENTRIES_AT + index * ENTRY_BYTES;
    this.#last = this.#target;
  }

  /** The start of the top table, which has concatenated pages: the target lies in the one mapped. */
  static pgd({ level, ipa }: Transition): number {
    const page = Math.floor(ipa / (kernelSize(level) * KERNEL_ENTRIES));
    return ENTRIES_AT - page * PAGE_BYTES;
  }

  /** Throws where a pointer is none to an entry. */
  at(pointer: number): Place {
    const address = pointer >>> 0;
    if (address === this.#targetAt) return this.#target;
    const number = Math.floor((address - ENTRIES_AT) / PAGE_BYTES) - 1;
    const index = (address % PAGE_BYTES) / ENTRY_BYTES;
    const page = this.#pages[number];
    if (page === undefined || !Number.isInteger(index)) {
      throw new TypeError(
        `the pointer 0x${address.toString(16)} is none to a table entry of this transition`,
      );
    }
    const { table, level } = page;
    const isThere = table !== null && index < this.#tables.entries;
    return { entry: isThere ? this.#tables.entryOf(table, index) : null, page, level, index };
  }

  /** An entry was read, and this was in it. */
  seen(place: Place, d: Descriptor): void {
    this.#last = place;
    if (!this.isTable(d, place.level) || this.#numberOf.has(d & ADDRESS)) return;
    this.#add(this.#tables.follow(d), d);
  }

  /** Reads an entry that the machine does not have. */
  nowhere(pointer: number, place: Place): Descriptor {
    this.#last = place;
    return this.#broken.get(pointer) ?? 0n;
  }

  /** A leaf or a table is as good as nothing: there is nothing to do below it. */
  storeNowhere(pointer: number, d: Descriptor): void {
    if ((d & VALID) === 0n && d !== 0n) this.#broken.set(pointer, d);
    else this.#broken.delete(pointer);
  }

  isTable = (d: Descriptor, level: Level): boolean => level < 3 && (d & VALID_TABLE) === VALID_TABLE;

  /** A page for below the entry that was looked at last. */
  allocate(): number {
    const level = childLevel(this.#last.level);
    if (this.#last.entry === null) return this.#pointer(this.#push({ table: null, level }));
    const table = this.#tables.allocate(level);
    return this.#pointer(this.#add(table, this.#tables.descriptorFor(table)));
  }

  /** Null: it is none of the tables. */
  virtual(pa: bigint): number | null {
    const number = this.#numberOf.get(pa & ADDRESS);
    return number === undefined ? null : this.#pointer(number);
  }

  /** Of a page that is nowhere: an address that nothing has. */
  physical(pointer: number): bigint {
    const { page } = this.at(pointer);
    if (page === null) throw new TypeError('the address of the page that holds the target is not known');
    if (page.table === null) return 0n;
    return this.#tables.descriptorFor(page.table) & ADDRESS;
  }

  #add(table: Table, d: Descriptor): number {
    const number = this.#push({ table, level: childLevel(this.#last.level) });
    this.#numberOf.set(d & ADDRESS, number);
    return number;
  }

  #push(page: Page): number {
    if (this.#pages.length >= PAGES_MAX - 1) {
      throw new Error(`more than ${PAGES_MAX - 1} pages of tables in one transition`);
    }
    return this.#pages.push(page) - 1;
  }

  #pointer(number: number): number {
    return ENTRIES_AT + (number + 1) * PAGE_BYTES;
  }
}
