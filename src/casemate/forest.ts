/**
 * Which table pages belong to which stage-2 tree, at what level and for which addresses: found from
 * a registered root by following table descriptors in what the log has written.
 */
import { addressOf, isTable, isLeaf } from '../arch/descriptor.ts';
import { childLevel, entrySize, type Level } from '../arch/geometry.ts';
import { type LogMemory, PAGE_BYTES, pageOf } from './memory.ts';
import { GEOMETRY, type Start } from './start-level.ts';

const ENTRY_BYTES = 8;

export interface TablePage {
  readonly root: number;
  readonly vmid: number;
  /** Of its entries. */
  readonly level: Level;
  /** First input address it maps. */
  readonly ipa: number;
  /** Address of the entry that links it; null for a page of the root. */
  readonly parent: number | null;
}

/** An entry that hardware may read. */
export interface EntryPlace {
  /** Address of the page it lies in. */
  readonly table: number;
  readonly page: TablePage;
  readonly level: Level;
  readonly ipa: number;
  readonly size: number;
}

export class Forest {
  readonly #memory: LogMemory;
  readonly #pages = new Map<number, TablePage>();
  readonly #roots = new Map<number, number>();

  constructor(memory: LogMemory) {
    this.#memory = memory;
  }

  hasRoot(root: number): boolean {
    return this.#roots.has(root);
  }

  plant(root: number, vmid: number, { level, pages }: Start): void {
    this.#roots.set(root, pages);
    for (let i = 0; i < pages; i++) {
      const page = root + i * PAGE_BYTES;
      const ipa = i * entrySize(GEOMETRY, level) * GEOMETRY.entriesPerTable;
      this.#add(page, { root, vmid, level, ipa, parent: null });
    }
  }

  /** The program gave the tree up: its pages are memory like any other. */
  uproot(root: number): void {
    this.#roots.delete(root);
    for (const [address, page] of this.#pages) if (page.root === root) this.#pages.delete(address);
  }

  pageAt(address: number): TablePage | null {
    return this.#pages.get(pageOf(address)) ?? null;
  }

  /** First addresses of its pages that a range touches. */
  pagesIn(address: number, size: number): number[] {
    const touched = (page: number): boolean => page + PAGE_BYTES > address && page < address + size;
    return [...this.#pages.keys()].filter(touched);
  }

  entryAt(address: number): EntryPlace | null {
    const page = this.pageAt(address);
    if (page === null) return null;
    const size = entrySize(GEOMETRY, page.level);
    const ipa = page.ipa + ((address - pageOf(address)) / ENTRY_BYTES) * size;
    return { table: pageOf(address), page, level: page.level, ipa, size };
  }

  /** `entry` has been made to point to the table page `child`. */
  link(entry: number, child: number): void {
    const place = this.entryAt(entry);
    if (place === null || place.level === 3) return;
    const { root, vmid } = place.page;
    this.#add(child, { root, vmid, level: childLevel(place.level), ipa: place.ipa, parent: entry });
  }

  /** Nothing walks from `entry` to `child` any more. */
  unlink(entry: number, child: number): void {
    const page = this.#pages.get(child);
    if (page?.parent !== entry) return;
    this.#pages.delete(child);
    for (const address of this.#tablesIn(child, page.level))
      this.unlink(address, this.#childOf(address));
  }

  /** Levels of the valid leaves below the table page `child`. */
  leavesBelow(child: number): Level[] {
    const page = this.#pages.get(child);
    if (page === undefined) return [];
    const own = this.#memory
      .nonZero(child)
      .some((address) => isLeaf(this.#memory.read(address), page.level));
    const below = this.#tablesIn(child, page.level).flatMap((address) =>
      this.leavesBelow(this.#childOf(address)),
    );
    return [...new Set(own ? [page.level, ...below] : below)];
  }

  #add(address: number, page: TablePage): void {
    // A page that points back to one above it would be followed for ever.
    if (this.#pages.get(address)?.root === page.root) return;
    this.#pages.set(address, page);
    for (const entry of this.#tablesIn(address, page.level)) this.link(entry, this.#childOf(entry));
  }

  #tablesIn(page: number, level: Level): number[] {
    return this.#memory.nonZero(page).filter((a) => isTable(this.#memory.read(a), level));
  }

  #childOf(entry: number): number {
    return addressOf(GEOMETRY, this.#memory.read(entry));
  }
}
