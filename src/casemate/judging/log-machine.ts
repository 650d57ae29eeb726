/**
 * What is known of the machine whose log is read: its memory, trees, registers and locks, and what may
 * still be cached. Beside it the questions that more than one room asks. Nothing is judged here and
 * nothing said. Another log begins with a new one: nothing of the machine is as it was.
 */
import type { Descriptor } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { childLevel } from '../../arch/geometry.ts';
import { Identity } from '../rules/identity.ts';
import { Ownership } from '../rules/ownership.ts';
import { PresumedGone } from '../rules/presumed.ts';
import { type Stale, StaleSet } from '../rules/stale-set.ts';
import { Forest, type Leaf } from '../tables/forest.ts';
import { LogMemory } from '../tables/memory.ts';
import { Registers } from '../tables/registers.ts';
import { childOf, type EntryPlace, type TablePage, type Tree } from '../tables/tree.ts';

export class LogMachine {
  /** That the log's program may rely on. */
  readonly bbm: BbmLevel;
  readonly memory = new LogMemory();
  readonly forest = new Forest(this.memory);
  readonly registers = new Registers();
  readonly stale = new StaleSet((stale) => this.forget(stale));
  readonly ownership = new Ownership();
  readonly identity = new Identity();
  readonly presumed = new PresumedGone(this.memory);

  constructor(bbm: BbmLevel) {
    this.bbm = bbm;
  }

  get ownershipTold(): boolean {
    return this.ownership.isTold || this.registers.instrumented;
  }

  /** Where the address lies in a tree, once walkers have left what is clean by now. */
  placeOf(address: number): EntryPlace | null {
    for (;;) {
      const place = this.forest.entryAt(address);
      if (place === null || this.stale.size === 0) return place;
      let page: TablePage | undefined = place.page;
      let changed = false;
      while (page !== undefined && page.parent !== null) {
        this.stale.above(page);
        if (this.forest.entryAt(address)?.page !== place.page) changed = true;
        page = changed ? undefined : (this.forest.above(page) ?? undefined);
      }
      if (!changed) return place;
    }
  }

  /** The stale entry above `place` through which walkers may still come to it. */
  holderOf(place: EntryPlace): Stale | null {
    if (this.stale.size === 0) return null;
    let { page } = place;
    while (page.parent !== null) {
      const holder = this.stale.above(page);
      if (holder?.tables.has(page) === true && !this.points(page.parent, page.base)) return holder;
      const above = this.forest.above(page);
      if (above === null) return null;
      page = above;
    }
    return null;
  }

  points(entry: number, table: number): boolean {
    const place = this.forest.entryAt(entry);
    if (place === null) return false;
    return childOf(place.page.tree, this.memory.read(entry), place.level) === table;
  }

  /** The page of the tree that the entry at `address` links by `value`. */
  tableOf(address: number, { page, level }: EntryPlace, value: Descriptor): TablePage | null {
    const table = childOf(page.tree, value, level);
    const child = table === null ? null : this.forest.pageAt(table);
    return child?.parent === address ? child : null;
  }

  mapsSomething(address: number, { page, level }: EntryPlace, descriptor: Descriptor): boolean {
    const table = childOf(page.tree, descriptor, level);
    return table === null || this.forest.leavesBelow(address, table).length > 0;
  }

  /** What walkers may find by a valid descriptor. */
  leavesAt({ page: { tree }, level, ipa, size }: EntryPlace, value: Descriptor): Leaf[] {
    const base = childOf(tree, value, level);
    if (base === null) return [{ d: value, level, ipa, size }];
    return this.forest.leavesOf({ tree, base, level: childLevel(level), ipa });
  }

  /** Nothing in the log says that the tree is still in use. */
  mayBeGone(tree: Tree): boolean {
    return !tree.declared && (tree.doubtful || !this.registers.isLoaded(tree.root));
  }

  /** It is taken to be clean. */
  letGo(stale: Stale): void {
    this.stale.delete(stale);
    this.forget(stale);
  }

  /** Clean: nobody walks from the entry into what it does not point to any more. */
  forget({ tables }: Stale): void {
    for (const { parent, base } of tables)
      if (parent !== null && !this.points(parent, base)) this.forest.unlink(parent, base);
  }

  uproot(tree: Tree): void {
    this.stale.drop(tree);
    this.forest.uproot(tree);
  }
}
