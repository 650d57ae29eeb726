/**
 * Pointers of the tree's code to table entries. A page of tables is a handle: 4 KiB of addresses above
 * the module's own memory, which hold nothing between two loads.
 *
 *   ENTRIES_AT        + 4096          + 8192         NOWHERE_AT
 *   +-----------------+---------------+---     ---+-----------------+
 *   | page of target  | first table   | …         | page of nowhere | …      512 entries each
 *   +-----------------+---------------+---     ---+-----------------+
 *
 * Of the first page the tree's code may touch the target alone. Entries that the machine's smaller tables
 * do not have, and pages below such entries, are the module's own affair (glue.c).
 */
import type { Descriptor } from '../arch/descriptor.ts';
import { childLevel, type Level } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import type { Transition } from '../port/protocol.ts';
import type { Table, Tables } from '../port/tables.ts';
import { ENTRIES_AT, MEMORY_BYTES, NOWHERE_AT } from './compile.ts';
import { KERNEL_ENTRIES, kernelSize } from './scale.ts';

const PAGE_BYTES = 4096;
const ENTRY_BYTES = 8;
const TABLES_MAX = (NOWHERE_AT - ENTRIES_AT) / PAGE_BYTES - 2;
const NOWHERE_MAX = (MEMORY_BYTES - NOWHERE_AT) / PAGE_BYTES;
const ADDRESS = 0xffff_ffff_f000n;
const VALID_TABLE = 3n;
/** Where no memory is: what pages of nowhere have for an address. */
const NOWHERE_PA = 0xf000_0000_0000n;

interface Page {
  readonly table: Table;
  /** Of its entries. */
  readonly level: Level;
}

/** Of the top table, before the page that holds the target. */
const bytesBefore = ({ level, ipa }: Pick<Transition, 'level' | 'ipa'>): number =>
  Math.floor(ipa / (kernelSize(level) * KERNEL_ENTRIES)) * PAGE_BYTES;

/** Where the page of the target lies: elsewhere if the top table would begin at NULL. */
const targetPage = (t: Pick<Transition, 'level' | 'ipa'>): number =>
  bytesBefore(t) === ENTRIES_AT ? NOWHERE_AT - PAGE_BYTES : ENTRIES_AT;

/** An entry as a pointer names it. */
export interface Place {
  readonly entry: Entry;
  /** Null for the page that holds the target. */
  readonly table: Table | null;
  readonly level: Level;
}

export class Pages {
  readonly #tables: Tables;
  readonly #memory: Uint8Array;
  readonly #target: Place;
  readonly #targetAt: number;
  readonly #pages: Page[] = [];
  readonly #pointerOf = new Map<bigint, number>();
  #nowhere = 0;

  /** Addresses are the kernel's (scale.ts). */
  constructor(
    tables: Tables,
    { entry, level, ipa }: Pick<Transition, 'entry' | 'level' | 'ipa'>,
    memory: Uint8Array,
  ) {
    const index = Math.floor(ipa / kernelSize(level)) % KERNEL_ENTRIES;
    const page = targetPage({ level, ipa });
    this.#tables = tables;
    this.#memory = memory;
    this.#target = { entry, table: null, level };
    this.#targetAt = page + index * ENTRY_BYTES;
  }

  /** The start of the top table, which has concatenated pages: the target lies in the one mapped. */
  static pgd(t: Pick<Transition, 'level' | 'ipa'>): number {
    return targetPage(t) - bytesBefore(t);
  }

  /** Throws where a pointer is none to an entry. */
  at(pointer: number): Place {
    const address = pointer >>> 0;
    if (address === this.#targetAt) return this.#target;
    const page = this.#pages[Math.floor((address - ENTRIES_AT) / PAGE_BYTES) - 1];
    const index = (address % PAGE_BYTES) / ENTRY_BYTES;
    if (page === undefined || !Number.isInteger(index)) {
      throw new TypeError(
        `the pointer 0x${address.toString(16)} is none to a table entry of this transition`,
      );
    }
    const { table, level } = page;
    return { entry: this.#tables.entryOf(table, index), table, level };
  }

  /** The table that a pointer lies in; null for one that is nowhere. */
  tableOf(pointer: number): Table | null {
    return pointer >>> 0 >= NOWHERE_AT ? null : this.at(pointer).table;
  }

  /** An entry was read, and this was in it. */
  seen({ level }: Place, d: Descriptor): void {
    if (!this.isTable(d, level) || this.#pointerOf.has(d & ADDRESS)) return;
    this.#add(this.#tables.follow(d), childLevel(level), d);
  }

  isTable = (d: Descriptor, level: Level): boolean =>
    level < 3 && (d & VALID_TABLE) === VALID_TABLE;

  /** A table as the machine writes it: its descriptors may carry more than an address. */
  linked(d: Descriptor): Descriptor {
    const pointer = this.#pointerOf.get(d & ADDRESS);
    if (pointer === undefined || (d & ~ADDRESS) !== VALID_TABLE) return d;
    const { table } = this.at(pointer);
    return table === null ? d : this.#tables.descriptorFor(table);
  }

  /** A page for below the entry `pointer`. */
  allocate(pointer: number): number {
    const isThere =
      pointer === this.#targetAt ||
      (pointer < NOWHERE_AT && pointer % PAGE_BYTES < this.#tables.entries * ENTRY_BYTES);
    if (!isThere) return this.#allocateNowhere();
    const level = childLevel(this.at(pointer).level);
    const table = this.#tables.allocate(level);
    return this.#add(table, level, this.#tables.descriptorFor(table));
  }

  /** Null: it is none of the tables. */
  virtual(pa: bigint): number | null {
    return this.#pointerOf.get(pa & ADDRESS) ?? null;
  }

  physical(pointer: number): bigint {
    const address = pointer >>> 0;
    if (address >= NOWHERE_AT) return NOWHERE_PA + BigInt(address);
    const { table } = this.at(address);
    if (table !== null) return this.#tables.descriptorFor(table) & ADDRESS;
    throw new TypeError('the address of the page that holds the target is not known');
  }

  #add(table: Table, level: Level, d: Descriptor): number {
    if (this.#pages.length >= TABLES_MAX) {
      throw new Error(`more than ${TABLES_MAX} pages of tables in one transition`);
    }
    const pointer = ENTRIES_AT + this.#pages.push({ table, level }) * PAGE_BYTES;
    this.#memory.fill(0, pointer, pointer + PAGE_BYTES);
    this.#pointerOf.set(d & ADDRESS, pointer);
    return pointer;
  }

  #allocateNowhere(): number {
    if (this.#nowhere >= NOWHERE_MAX) throw new Error(`more than ${NOWHERE_MAX} pages of nowhere`);
    const pointer = NOWHERE_AT + this.#nowhere++ * PAGE_BYTES;
    this.#memory.fill(0, pointer, pointer + PAGE_BYTES);
    return pointer;
  }
}
