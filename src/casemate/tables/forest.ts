/**
 * Which table pages belong to which tree, at what level and for which addresses: found from a
 * registered root by following table descriptors in what the log has written.
 */
import { type Descriptor, isLeaf } from '../../arch/descriptor.ts';
import { childLevel, entrySize, type Level } from '../../arch/geometry.ts';
import { keysWithin, type LogMemory, PAGE_BYTES, pageOf } from './memory.ts';
import { cacheable, childOf, type EntryPlace, type TablePage, type Tree } from './tree.ts';

const ENTRY_BYTES = 8;

export interface Leaf {
  readonly d: Descriptor;
  readonly level: Level;
  /** What it maps. */
  readonly ipa: number;
  readonly size: number;
}

/** Where a walk came to. */
export interface Walked {
  readonly address: number;
  readonly place: EntryPlace;
}

/**
 * Told of a table page in a tree that `entry` links as well, before it does. True: the page is part of
 * the tree by that entry from now on.
 */
export type Claim = (entry: number, used: TablePage) => boolean;

export class Forest {
  readonly #memory: LogMemory;
  /** By every 4 KiB of a table: with larger granules several of them are one table. */
  readonly #pages = new Map<number, TablePage>();
  readonly #trees = new Map<number, Tree>();

  constructor(memory: LogMemory) {
    this.#memory = memory;
  }

  trees(): Iterable<Tree> {
    return this.#trees.values();
  }

  treeAt(root: number): Tree | null {
    return this.#trees.get(root) ?? null;
  }

  plant(tree: Tree, claim: Claim): void {
    const { geometry, level, pages } = tree.shape;
    this.#trees.set(tree.root, tree);
    for (let i = 0; i < pages; i++) {
      const base = tree.root + i * tableBytes(tree);
      const ipa = i * entrySize(geometry, level) * geometry.entriesPerTable;
      this.#add({ tree, base, level, ipa, parent: null }, claim);
    }
  }

  /** The program gave the tree up: its pages are memory like any other. */
  uproot(tree: Tree): void {
    this.#trees.delete(tree.root);
    for (const [address, page] of this.#pages) if (page.tree === tree) this.#pages.delete(address);
  }

  pageAt(address: number): TablePage | null {
    return this.#pages.get(pageOf(address)) ?? null;
  }

  /** The page that links this one; null where it is no part of the tree any more, or of the root. */
  above({ tree, level, parent }: TablePage): TablePage | null {
    const page = parent === null ? null : this.pageAt(parent);
    return page?.tree === tree && page.level === level - 1 ? page : null;
  }

  /** Does a walk to the entries of `page` go through `other`, or end there? */
  isAbove(other: TablePage, page: TablePage): boolean {
    for (let at: TablePage | null = page; at !== null; at = this.above(at))
      if (at === other) return true;
    return false;
  }

  /** The entry at which a walk of `ipa` that has come to `from` ends, at `level` at the deepest. */
  walk(from: number, { ipa, level }: Pick<EntryPlace, 'ipa' | 'level'>): Walked | null {
    for (let address = from; ;) {
      const place = this.entryAt(address);
      if (place === null || place.level >= level) return place && { address, place };
      const { tree } = place.page;
      const table = childOf(tree, this.#memory.read(address), place.level);
      if (table === null) return { address, place };
      const page = this.#pages.get(table);
      if (page?.parent !== address) return null;
      const size = entrySize(tree.shape.geometry, page.level);
      address = page.base + Math.floor((ipa - page.ipa) / size) * ENTRY_BYTES;
    }
  }

  /** Every 4 KiB of its tables that a range touches. */
  framesIn(address: number, size: number): number[] {
    return keysWithin(this.#pages, address, size);
  }

  entryAt(address: number): EntryPlace | null {
    const page = this.#pages.get(pageOf(address));
    if (page === undefined) return null;
    const size = entrySize(page.tree.shape.geometry, page.level);
    const ipa = page.ipa + ((address - page.base) / ENTRY_BYTES) * size;
    return { page, level: page.level, ipa, size };
  }

  /** `entry` has been made to point to the table page `child`. */
  link(entry: number, child: number, claim: Claim): void {
    const place = this.entryAt(entry);
    if (place === null || place.level === 3) return;
    const { tree } = place.page;
    const { ipa } = place;
    this.#add({ tree, base: child, level: childLevel(place.level), ipa, parent: entry }, claim);
  }

  /** Nothing walks from `entry` to `child` any more. */
  unlink(entry: number, child: number): void {
    const page = this.#pages.get(child);
    if (page?.parent !== entry) return;
    for (const frame of framesOf(page)) this.#pages.delete(frame);
    for (const [address, table] of this.#tablesIn(page)) this.unlink(address, table);
  }

  /** Levels of the valid leaves below the table page `child` of `entry`. */
  leavesBelow(entry: number, child: number): Level[] {
    const found = new Set<Level>();
    this.#collectLeaves(entry, child, found);
    return [...found];
  }

  /** What a table maps, and all below it, as memory has them: leaves that TLBs may hold. */
  leavesOf({ tree, base, level, ipa }: Omit<TablePage, 'parent'>): Leaf[] {
    const size = entrySize(tree.shape.geometry, level);
    return this.#memory.nonZero(base, tableBytes(tree)).flatMap((at) => {
      const from = ipa + ((at - base) / ENTRY_BYTES) * size;
      const d = cacheable(tree, this.#memory.read(at), level);
      if (isLeaf(d, level)) return [{ d, level, ipa: from, size }];
      const table = childOf(tree, d, level);
      if (table === null || level === 3) return [];
      return this.leavesOf({ tree, base: table, level: childLevel(level), ipa: from });
    });
  }

  /** Something that TLBs may hold is in a page of the root. */
  isFilled(tree: Tree): boolean {
    const bytes = tree.shape.pages * tableBytes(tree);
    return this.#memory
      .nonZero(tree.root, bytes)
      .some((at) => (cacheable(tree, this.#memory.read(at), tree.shape.level) & 1n) === 1n);
  }

  /** What the entries of the root hold. */
  rootText(tree: Tree): string {
    const words = this.#memory.nonZero(tree.root, tree.shape.pages * tableBytes(tree));
    return words.map((at) => `${at} ${this.#memory.read(at)}`).join();
  }

  #collectLeaves(entry: number, child: number, found: Set<Level>, deeper = -1): void {
    const page = this.#pages.get(child);
    // One that is part of the tree by another entry may be above this one.
    if (page?.parent !== entry || page.level <= deeper) return;
    const { tree, base, level } = page;
    for (const at of this.#memory.nonZero(base, tableBytes(tree))) {
      const value = this.#memory.read(at);
      if (isLeaf(cacheable(tree, value, level), level)) found.add(level);
      const table = childOf(tree, value, level);
      if (table !== null) this.#collectLeaves(at, table, found, level);
    }
  }

  #add(page: TablePage, claim: Claim): void {
    const { tree, base, parent, level, ipa } = page;
    const used = this.#pages.get(base);
    if (used !== undefined && parent !== null) {
      const isSame = used.tree === tree && used.parent === parent;
      if (isSame && used.level === level && used.ipa === ipa) return;
      if (!isSame && !claim(parent, used)) return;
    }
    for (const frame of framesOf(page)) this.#pages.set(frame, page);
    for (const [entry, table] of this.#tablesIn(page)) this.link(entry, table, claim);
  }

  /** Entries of a page that are table descriptors, and where they lead. */
  #tablesIn({ tree, base, level }: TablePage): [entry: number, table: number][] {
    if (level === 3) return [];
    return this.#memory.nonZero(base, tableBytes(tree)).flatMap((at) => {
      const table = childOf(tree, this.#memory.read(at), level);
      return table === null ? [] : [[at, table] as [number, number]];
    });
  }
}

function tableBytes({ shape }: Tree): number {
  return 2 ** shape.geometry.pageShift;
}

function* framesOf({ base, tree }: TablePage): Generator<number, void> {
  for (let at = base; at < base + tableBytes(tree); at += PAGE_BYTES) yield at;
}
