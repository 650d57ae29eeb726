/**
 * The memory of one small machine, as locations of the model. Geometry `tiny`, two entries a table; or
 * `tiny4`, four.
 *
 *   0       1 … n·tables          1 + n·tables     then                    from there on
 *   entry   table pages, by page, the VM's lock    second VM's entry,      what each access may see
 *           of n entries                           the moment at which     (translation.ts)
 *                                                  memory is taken, the
 *                                                  second maker's hold of
 *                                                  the lock, a walk under
 *                                                  way (each if any)
 *
 * The region under transition is the whole machine: one entry of level 1 or 2. Above it nothing
 * ever changes. Of two regions, whose entries lie beside each other, each has such a map of its own, and
 * the second's locations come behind the first's. Old leaves carry version 1 in their software bits, new
 * ones 2, as under `stress`.
 *
 * Where walkers update descriptors (hafdbs=on) there is something for them to do: old leaves are
 * clean, and the old block and the second page of each old table are not accessed either. What is
 * wanted is accessed and dirty, as KVM has it, which coalesces with logging off.
 *
 * Where the old table is to have holes (kinds.ts), its lowest tables have them.
 */
import { assert } from '../../../arch/assert.ts';
import { GUEST_VMID, vmidTag, type VmidBits } from '../../../arch/context.ts';
import {
  addressOf,
  AF,
  DBM,
  childLeaf,
  childLeaves,
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  type LeafAttributes,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  S2AP_W,
} from '../../../arch/descriptor.ts';
import {
  type BlockLevel,
  childLevel,
  entrySize,
  type Geometry,
  geometryOf,
  type Level,
  pagesPerEntry,
} from '../../../arch/geometry.ts';
import {
  type Change,
  changeNamed,
  type ChangeName,
  type Entry,
  isHole,
  type Table,
} from '../../../port/index.ts';

export const NEIGHBOUR_VMID = 2;
/** What reports call the second VM's vCPU. */
export const NEIGHBOUR_NAME = 'vm 2';
export const OLD_VERSION = 1;
export const NEW_VERSION = 2;
/** Of what is made of a new mapping, by a second maker (maker.ts). */
export const NEXT_VERSION = 3;

/** Writable-clean: the first store has to set S2AP[1] (FEAT_HAFDBS). */
const CLEAN = Object.freeze({ write: false, dbm: true });

const GEOMETRY: Geometry = geometryOf('tiny');
const REGION_IPA = 0x4000_0000;
const REGION_PA = 0x8000_0000;
/** Where a block that moves goes: a place for any block, also of a real machine. */
const OTHER_PA = 0x1_4000_0000;
const TABLES_PA = 0x1_0000_0000;
const FOREIGN_PA = 0xc000_0000;
const FOREIGN_VERSION = 15;
/** Of level 1 two leaves lie below each other, and a protocol may try another one. */
const CHILDREN_KEPT = 6;
/** Memory of a region lies so far behind that of the one before it: no address here is another's. */
const PA_APART = 0x2_0000_0000;
const NEIGHBOUR_PA = 0xe000_0000;

/** A valid leaf that is none of the region's. */
const foreignLeaf = (sw: number): Descriptor =>
  makeLeaf(GEOMETRY, 3, FOREIGN_PA, { ...NORMAL_RW, sw });

/** What the next user of a freed page stores there. */
export const REUSED: Descriptor = foreignLeaf(FOREIGN_VERSION);
/** What a page holds before it is filled: what its last user left. */
export const UNFILLED: Descriptor = foreignLeaf(FOREIGN_VERSION - 1);

/** Values of the lock. The transition starts with the lock held. */
export const LOCK_FREE = 0n;
export const LOCK_HELD = 1n;

/** Values of the moment: the memory behind the old mapping is the VM's, or was taken. */
export const NOT_TAKEN = 0n;
export const TAKEN = 1n;

/** Values of the walk that was under way when VTTBR_EL2 changed: what it fills a TLB with, if anything. */
export const NO_WALK = 0n;
export const SWITCHED_WALK = 1n;

/** The entry under transition; of two regions the first's. */
export const TARGET = 0;

/** The second VM's page: writable, and then write-protected by its host without a TLBI as yet. */
const neighbourLeaf = (write: boolean, sw: number): Descriptor =>
  makeLeaf(GEOMETRY, 3, NEIGHBOUR_PA, { ...NORMAL_RW, write, sw });
export const NEIGHBOUR_BEFORE: Descriptor = neighbourLeaf(true, OLD_VERSION);
export const NEIGHBOUR_AFTER: Descriptor = neighbourLeaf(false, NEW_VERSION);

/** How many regions a machine may have. */
export type Regions = 1 | 2;

export interface MachineOptions {
  readonly hafdbs?: boolean;
  readonly hasNeighbour?: boolean;
  /**
   * What a vCPU can tell beside the TLBIs that remove something of it: on cores with an erratum every
   * TLBI, or the interrupts that make up for one. Default: nothing.
   */
  readonly counts?: 'every-tlbi' | 'interrupts' | null;
  /** Default: `tiny`. */
  readonly geometry?: Geometry;
  /** First IPA of the region, a multiple of its size; of two the first's. */
  readonly ipa?: number;
  /** Entries that are changed, one after the other. Default: 1. */
  readonly regions?: Regions;
  /** There is no memory for this one of the allocations that may fail, from 1. Default: for all. */
  readonly failing?: number | null;
  /** The VM's, as software numbers it, and how many bits of that the CPU has. */
  readonly vmid?: number;
  readonly vmidBits?: VmidBits;
  /** The hypervisor comes from a host at EL1, whose walks may still be under way (nVHE). */
  readonly walksUnderWay?: boolean;
  /** The first old page is read-only, the second not accessed: what a block must not take over. */
  readonly mixed?: boolean;
  /** Threads that change the entry, each with a hold of the lock. Default: 1. */
  readonly makers?: 1 | 2;
  /** Of two: the second, or both, are vCPUs in the handlers of their faults. Default: none is. */
  readonly handlers?: 0 | 1 | 2;
}

export class MemoryMap {
  readonly change: Change;
  readonly changeName: ChangeName;
  readonly level: BlockLevel;
  readonly tables: number;
  /** Location of the entry under transition: the first of this region's. */
  readonly target: number;
  /** Which of the regions, from 0; the one behind it, null if this is the last. */
  readonly region: number;
  readonly next: MemoryMap | null;
  /** Number of the region's first page: those of all regions are counted on. */
  readonly firstPage: number;
  /** There are several. */
  readonly isOneOfSeveral: boolean;
  /** Walkers set access flag and dirty state (FEAT_HAFDBS). */
  readonly hafdbs: boolean;
  /** There is a second VM (neighbour.ts). */
  readonly hasNeighbour: boolean;
  readonly counts: 'every-tlbi' | 'interrupts' | null;
  readonly failing: number | null;
  readonly makers: 1 | 2;
  /** How many of them are vCPUs in the handlers of their faults: the second, or both. */
  readonly handlers: 0 | 1 | 2;
  /** What the VM's TLB entries are tagged with. */
  readonly vmid: number;
  readonly vmidBits: VmidBits;
  readonly #walksUnderWay: boolean;
  /** Small under search. */
  readonly geometry: Geometry;
  readonly ipa: number;
  /** Where the region lies before, and where the wanted block leads. */
  readonly oldPa: number;
  readonly pa: number;
  /** The old pages are not alike. */
  readonly #isMixed: boolean;
  /** By index in the old table, once one was looked at. */
  #oldPages: readonly Descriptor[] | null = null;
  /** The last few leaves that were split, and what they were split into. */
  readonly #children: {
    readonly level: Level;
    readonly like: Descriptor;
    readonly leaves: readonly Descriptor[];
  }[] = [];
  readonly #alike = new Map<Descriptor, readonly Descriptor[]>();
  readonly #validBefore: (number | undefined)[] = [];
  readonly size: number;
  /** Pages of the region. */
  readonly pages: number;
  readonly old: Descriptor;
  readonly wanted: Descriptor;
  /** Table pages in use before the transition: the old subtree's. */
  readonly oldTables: number;

  constructor(
    changeName: ChangeName,
    level: BlockLevel,
    tables: number,
    options: MachineOptions = {},
    before: MemoryMap | null = null,
  ) {
    const {
      hafdbs = false,
      hasNeighbour = false,
      counts = null,
      failing = null,
      geometry = GEOMETRY,
      ipa = REGION_IPA,
      mixed = false,
      makers = 1,
      handlers = 0,
      vmid = GUEST_VMID,
      vmidBits = 16,
      walksUnderWay = false,
      regions = 1,
    } = options;
    this.geometry = geometry;
    this.region = before === null ? 0 : before.region + 1;
    this.target = before?.end ?? TARGET;
    this.isOneOfSeveral = regions > 1;
    this.#isMixed = mixed;
    this.vmid = vmidTag(vmid, vmidBits);
    this.vmidBits = vmidBits;
    // Of two makers neither is followed that far.
    this.#walksUnderWay = walksUnderWay && makers === 1;
    const change: Change = changeNamed(changeName);
    this.changeName = changeName;
    this.change = change;
    this.level = level;
    this.tables = tables;
    this.hafdbs = hafdbs;
    this.hasNeighbour = hasNeighbour && before === null;
    this.counts = counts;
    this.failing = failing;
    this.makers = makers;
    this.handlers = handlers;
    this.size = entrySize(this.geometry, level);
    this.pages = pagesPerEntry(this.geometry, level);
    this.firstPage = this.region * this.pages;
    this.ipa = ipa + this.region * this.size;
    this.oldPa = REGION_PA + this.region * PA_APART;
    this.pa = this.oldPa + (changeName === 'relocate' ? OTHER_PA - REGION_PA : 0);
    this.oldTables = change.from === 'table' ? this.pagesOfSubtree(level) : 0;
    this.old = this.#oldEntry();
    this.wanted = change.to === 'empty' ? EMPTY : this.blockOf(NEW_VERSION);
    assert(this.oldTables <= tables, `the old subtree needs ${this.oldTables} table pages`);
    assert(makers === 1 || !(hasNeighbour || this.change.takes !== undefined), 'no room for both');
    assert(makers === 1 || regions === 1, 'two makers meet in one region');
    this.next =
      this.region + 1 < regions ? new MemoryMap(changeName, level, tables, options, this) : null;
  }

  /** All of the machine's from this one on. */
  get regions(): readonly MemoryMap[] {
    return this.next === null ? [this] : [this, ...this.next.regions];
  }

  /** The map of the region that a location belongs to. */
  at(location: number): MemoryMap {
    return this.next === null || location < this.end ? this : this.next.at(location);
  }

  /** And of the one that a page lies in. */
  holding(page: number): MemoryMap {
    const isLast = this.next === null || page < this.firstPage + this.pages;
    return isLast ? this : this.next.holding(page);
  }

  #oldEntry(): Descriptor {
    const { from, readOnly } = this.change;
    if (from === 'table') return this.descriptorFor(0 as Table);
    if (from !== 'block') return from === 'locked' ? LOCKED : EMPTY;
    const permission = readOnly === undefined ? {} : { write: readOnly !== 'old' };
    // Where permission is what changes, no hardware gives it back.
    const state = this.hafdbs && readOnly === undefined ? { ...CLEAN, af: false } : {};
    return this.#block(OLD_VERSION, this.oldPa, { ...permission, ...state });
  }

  /** The block that a change leads to, with `version` in its software bits. */
  blockOf(version: number): Descriptor {
    const { readOnly } = this.change;
    return this.#block(version, this.pa, {
      write: readOnly !== 'new',
      dbm: this.hafdbs && readOnly === undefined,
    });
  }

  #block(sw: number, pa: number, over: Partial<LeafAttributes>): Descriptor {
    return makeLeaf(this.geometry, this.level, pa, { ...NORMAL_RW, ...over, sw });
  }

  get lock(): number {
    return this.target + 1 + this.tables * this.geometry.entriesPerTable;
  }

  /** The locks a vCPU has to see free before it knows that all is done: each maker's hold of the one. */
  get locks(): readonly number[] {
    return Array.from({ length: this.makers }, (_, maker) => this.lock + maker);
  }

  isLock(location: number): boolean {
    return location >= this.lock && location < this.lock + this.makers;
  }

  /** The leaf entry of the second VM, where there is one. */
  get neighbour(): number {
    return this.lock + 1;
  }

  /** A foreign leaf as this machine has it: a walker that updates descriptors finds something to set. */
  foreign(leaf: Descriptor): Descriptor {
    return this.hafdbs ? (leaf | DBM) & ~(AF | S2AP_W) : leaf;
  }

  /** The moment at which the memory behind the old mapping is taken; null: it is not. */
  get moment(): number | null {
    return this.change.takes === undefined ? null : this.lock + (this.hasNeighbour ? 2 : 1);
  }

  /** What a walk that was under way when VTTBR_EL2 changed may fill in; null: there is none. */
  get switchedWalk(): number | null {
    return this.#walksUnderWay ? this.end - 1 : null;
  }

  /** First location behind those that hold something of the host's. */
  get end(): number {
    const more = [this.hasNeighbour, this.change.takes !== undefined, this.#walksUnderWay];
    return this.lock + this.makers + more.filter(Boolean).length;
  }

  /** Table pages below an entry of `level`, all leaves being pages. */
  pagesOfSubtree(level: Level): number {
    if (level >= 2) return 1;
    return 1 + this.geometry.entriesPerTable * this.pagesOfSubtree(childLevel(level));
  }

  entryOf(table: Table, index: number): Entry {
    assert(table >= 0 && table < this.tables, `there is no table page ${table}`);
    assert(index >= 0 && index < this.geometry.entriesPerTable, `index ${index} is not in a table`);
    return (this.target + 1 + table * this.geometry.entriesPerTable + index) as Entry;
  }

  /** The table page a location lies in; null for the entry under transition and the lock. */
  tableOf(location: number): Table | null {
    if (location <= this.target || location >= this.lock) return null;
    return Math.floor((location - this.target - 1) / this.geometry.entriesPerTable) as Table;
  }

  get #tablesPa(): number {
    return TABLES_PA + this.region * PA_APART;
  }

  descriptorFor(table: Table): Descriptor {
    return makeTable(this.geometry, this.#tablesPa + table * 2 ** this.geometry.pageShift);
  }

  follow(d: Descriptor): Table {
    const table = (addressOf(this.geometry, d) - this.#tablesPa) / 2 ** this.geometry.pageShift;
    assert(
      table >= 0 && table < this.tables,
      `descriptor 0x${d.toString(16)} points to no table page`,
    );
    return table as Table;
  }

  /** Does `d` point into the table pages? */
  isTableAddress(d: Descriptor): boolean {
    const table = (addressOf(this.geometry, d) - this.#tablesPa) / 2 ** this.geometry.pageShift;
    return table >= 0 && table < this.tables;
  }

  pageIpa(page: number): number {
    return this.ipa + (page - this.firstPage) * 2 ** this.geometry.pageShift;
  }

  /** Where the mapping of `version` leads. */
  pagePa(page: number, version: number): number {
    const first = version === OLD_VERSION ? this.oldPa : this.pa;
    return first + (page - this.firstPage) * 2 ** this.geometry.pageShift;
  }

  /** What a location outside of the tables holds before the transition. */
  besideTables(location: number): Descriptor {
    if (location === this.target) return this.old;
    if (location === this.lock) return LOCK_HELD;
    if (location === this.moment) return NOT_TAKEN;
    return location === this.switchedWalk ? NO_WALK : 0n;
  }

  /**
   * What an old table holds before the transition, where tables are too large to be laid out: at level 2
   * only, where the old subtree is one page. Undefined: nobody has that table yet.
   */
  tableBefore(table: number): readonly Descriptor[] | undefined {
    if (table < 0 || table >= this.oldTables) return undefined;
    assert(this.level === 2, 'an old subtree of one page');
    return (this.#oldPages ??= this.#pagesBefore());
  }

  /** Whole or not at all: a time limit may end whoever makes them. */
  #pagesBefore(): readonly Descriptor[] {
    const [, , ...alike] = childLeaves(this.geometry, this.#oldLeaf(2), this.level);
    const odd = [0, 1].map((index) =>
      childLeaf(this.geometry, this.#oldLeaf(index), this.level, index),
    );
    return [...odd, ...alike].map((page, index) => (this.#isHole(index) ? EMPTY : page));
  }

  #isHole(index: number): boolean {
    return this.change.holes === true && isHole(index, this.geometry.entriesPerTable);
  }

  /** The block whose pages the old table maps; of pages that are not alike, for page `index`. */
  #oldLeaf(index: number): Descriptor {
    const clean = this.hafdbs ? CLEAN : {};
    const odd = index === 0 ? { write: false } : index === 1 ? { af: false } : {};
    const leaf = { ...NORMAL_RW, ...clean, ...(this.#isMixed ? odd : {}), sw: OLD_VERSION };
    return makeLeaf(this.geometry, this.level, this.oldPa, leaf);
  }

  /** What the region's locations hold before the transition, from its entry on. */
  initial(): Descriptor[] {
    const { target } = this;
    const memory = Array.from({ length: this.end - target }, () => this.foreign(UNFILLED));
    memory[0] = this.old;
    for (const lock of this.locks) memory[lock - target] = LOCK_HELD;
    if (this.hasNeighbour) memory[this.neighbour - target] = NEIGHBOUR_BEFORE;
    if (this.moment !== null) memory[this.moment - target] = NOT_TAKEN;
    if (this.switchedWalk !== null) memory[this.switchedWalk - target] = NO_WALK;
    if (isTable(this.old, this.level)) {
      this.fill(this.level, this.#oldLeaf(2), contiguousPages(), (first, values) => {
        for (const [i, d] of values.entries()) {
          const place = first + i - target;
          const index = (place - 1) % this.geometry.entriesPerTable;
          const isLeaf = !this.isTableAddress(d);
          const isUntouched = this.hafdbs && index === 1 && isLeaf;
          memory[place] = isLeaf && this.#isHole(index) ? EMPTY : isUntouched ? d & ~AF : d;
        }
      });
    }
    return memory;
  }

  /**
   * Maps what the leaf `like` of `level` maps by a subtree of pages; returns its top page. Children
   * are filled before the entry that points to them. `store`: to one entry after another.
   */
  fill(
    level: Level,
    like: Descriptor,
    take: () => Table,
    store: (first: Entry, values: readonly Descriptor[]) => void,
  ): Table {
    const table = take();
    const below = childLevel(level);
    const leaves = this.#childrenOf(level, like);
    if (below === 3) store(this.entryOf(table, 0), leaves);
    else {
      for (const [index, leaf] of leaves.entries()) {
        const d = this.descriptorFor(this.fill(below, leaf, take, store));
        store(this.entryOf(table, index), [d]);
      }
    }
    return table;
  }

  /** Made once: every run of a protocol, and most protocols, split one and the same leaf. */
  #childrenOf(level: Level, like: Descriptor): readonly Descriptor[] {
    const known = this.#children.find((each) => each.like === like && each.level === level);
    if (known !== undefined) return known.leaves;
    const leaves = childLeaves(this.geometry, like, level);
    if (this.#children.push({ level, like, leaves }) > CHILDREN_KEPT) this.#children.shift();
    return leaves;
  }

  /** Valid entries of an old page before the transition. `peek`: what memory holds then. */
  validBefore(table: Table, peek: (location: number) => Descriptor): number {
    return (this.#validBefore[table] ??= this.validIn(table, peek));
  }

  /** A table of which every entry holds `d`. */
  tableOfAll(d: Descriptor): readonly Descriptor[] {
    const known = this.#alike.get(d);
    if (known !== undefined) return known;
    const made = Array.from({ length: this.geometry.entriesPerTable }, () => d);
    this.#alike.set(d, made);
    return made;
  }

  validIn(table: Table, peek: (location: number) => Descriptor): number {
    let valid = 0;
    for (let index = 0; index < this.geometry.entriesPerTable; index++) {
      if (isValid(peek(this.entryOf(table, index)))) valid++;
    }
    return valid;
  }
}

function contiguousPages(): () => Table {
  let next = 0;
  return () => next++ as Table;
}
