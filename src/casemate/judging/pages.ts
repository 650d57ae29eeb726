/**
 * Trees and their table pages, as they come and go: a register names a root, a page is linked, used
 * twice, freed or given up. A log that does not say that a tree is no more leaves only its pages, used
 * anew, to tell: such a tree is presumed gone, and taken back if it is loaded again.
 */
import type { LogRecord } from '../reading/record.ts';
import type { Claim } from '../tables/forest.ts';
import type { Switch } from '../tables/registers.ts';
import { type EntryPlace, entryText, hex, type TablePage, type Tree } from '../tables/tree.ts';
import type { Account } from './account.ts';
import type { LogMachine } from './log-machine.ts';

export class Pages {
  readonly #machine: LogMachine;
  readonly #account: Account;

  constructor(machine: LogMachine, account: Account) {
    this.#machine = machine;
    this.#account = account;
  }

  plant({ regime, root, id, shape }: Switch, record: LogRecord): Tree | null {
    const { registers, memory, ownership, forest } = this.#machine;
    const { notJudged } = this.#account;
    const reason =
      typeof shape === 'string'
        ? shape
        : root % 2 ** shape.geometry.pageShift === 0
          ? null
          : shape.large || shape.geometry.granule === '64k'
            ? 'its root is above 2^48 (BADDR[5:2]), or no table address'
            : 'its root is no table address';
    const control = registers.control(regime, record.thread);
    if (typeof shape === 'string' || reason !== null) {
      notJudged.tree(root, reason ?? '', control);
      return null;
    }
    if (control.value === null) notJudged.unknownShape(root, control.name);
    if (!memory.isTold(root)) notJudged.unknownContents(root, record);
    const declared = ownership.hasLock(root);
    const flags = { declared, filled: false, renumbered: false, breaks: 0, doubtful: false };
    const tree: Tree = { regime, root, shape, id, ...flags };
    this.#takeBack(tree, record);
    const bytes = shape.pages * 2 ** shape.geometry.pageShift;
    for (const frame of forest.framesIn(root, bytes)) {
      const used = this.#machine.placeOf(frame)?.page;
      if (used !== undefined)
        this.#usedTwice(used, tree, `a root of the tree at ${hex(root)}`, record);
    }
    forest.plant(tree, this.claim(true, record));
    return tree;
  }

  declare(root: number): void {
    const tree = this.#machine.forest.treeAt(root);
    if (tree !== null) tree.declared = true;
  }

  /** A page that a tree has already is linked: by what was stored, or in a tree as it is found. */
  claim(isFound: boolean, record: LogRecord): Claim {
    return (entry, { base }) => {
      const { forest } = this.#machine;
      const { notJudged } = this.#account;
      const used = this.#machine.placeOf(base)?.page;
      const place = forest.entryAt(entry);
      if (used === undefined || place === null) return true;
      const { tree } = place.page;
      if (forest.isAbove(used, place.page)) notJudged.selfMap(entry, base, record);
      else if (isFound && used.tree === tree) notJudged.alias(entry, base, record);
      else {
        this.#usedTwice(used, tree, `linked by the ${entryText(entry, place)}`, record);
        return true;
      }
      return false;
    };
  }

  /** A table page that a tree has already becomes part of `by`. */
  #usedTwice(used: TablePage, by: Tree, how: string, record: LogRecord): void {
    const { forest } = this.#machine;
    const { tree, parent, base } = used;
    if (tree !== by && this.#machine.mayBeGone(tree)) {
      this.presumeGone(used, by, record);
      return;
    }
    const stale = this.#machine.stale.above(used);
    const still = parent === null || this.#machine.points(parent, base);
    if (!still && (stale === undefined || stale.automaton.isCleanByOthers)) {
      if (stale !== undefined) this.#account.notJudged.foreignFlush(record);
      forest.unlink(parent, base);
      return;
    }
    const where = parent === null ? `the root at ${hex(tree.root)}` : `the entry at ${hex(parent)}`;
    const missing = stale === undefined ? '' : `: ${stale.automaton.missing()}`;
    const why = still
      ? `a table page is used in two places: it is still part of the tree, by ${where}`
      : `a table page was linked again while walkers may still come to it by ${where}${missing}`;
    const entry = `table page ${hex(base)}, ${how}`;
    this.#account.violate(record, { rule: 'freed-table', why, entry }, stale);
    if (parent !== null) forest.unlink(parent, base);
  }

  presumeGone(page: TablePage, by: Tree | null, record: LogRecord): void {
    const { presumed, forest } = this.#machine;
    const text = this.#account.notJudged.presumedGone(page.tree.root, record);
    presumed.add({ page, line: record.line, by, text }, forest);
    this.#machine.uproot(page.tree);
  }

  /** `tree` was taken as given up, and is not: it has the page that was used anew. */
  #takeBack(tree: Tree, record: LogRecord): void {
    const { presumed, forest } = this.#machine;
    const use = presumed.refuted(tree);
    if (use === null) return;
    const { page, line, by } = use;
    this.#account.notJudged.takenBack(use, record);
    if (by === null) return;
    const why =
      `a table page is used in two places: since line ${line} the tree at ${hex(by.root)} has it, ` +
      `and this one is loaded with it by the entry at ${hex(page.parent ?? 0)}`;
    const entry = `table page ${hex(page.base)} of the tree at ${hex(tree.root)}`;
    this.#account.violate(record, { rule: 'freed-table', why, entry });
    const used = forest.pageAt(page.base);
    if (used !== null && used.parent !== null) forest.unlink(used.parent, used.base);
  }

  free(event: { address: number; size: number }, record: LogRecord): void {
    const { forest, memory } = this.#machine;
    for (const frame of forest.framesIn(event.address, event.size)) {
      const place = this.#machine.placeOf(frame);
      if (place === null) continue;
      if (place.page.tree.doubtful) this.presumeGone(place.page, null, record);
      else this.#freed(place, 'freed', record);
    }
    memory.fill(event.address, event.size, 0n);
  }

  #freed(place: EntryPlace, how: 'freed' | 'given up', record: LogRecord): void {
    const holder = this.#machine.holderOf(place);
    if (holder?.automaton.isCleanByOthers === true) {
      this.#account.notJudged.foreignFlush(record);
      return;
    }
    const why =
      holder === null
        ? `a table page was ${how} while it is part of a tree`
        : `a table page was ${how} while walkers may still use it: ${holder.automaton.missing()}`;
    const { parent, base } = place.page;
    const of = parent === null ? 'root' : `linked by the entry at ${hex(parent)}`;
    const entry = `table page ${hex(base)}, ${of}`;
    this.#account.violate(record, { rule: 'freed-table', why, entry }, holder ?? undefined);
  }

  release(location: number, record: LogRecord): void {
    const { presumed, forest } = this.#machine;
    presumed.confirm(location);
    const tree = forest.treeAt(location);
    if (tree !== null) {
      this.#releaseTree(tree, record);
      return;
    }
    const place = this.#machine.placeOf(location);
    if (place !== null && location === place.page.base) {
      this.#freed(place, 'given up', record);
      return;
    }
    this.#account.notJudged.unknownRelease(location, record);
    for (const each of forest.trees()) if (!each.declared) each.doubtful = true;
  }

  #releaseTree(tree: Tree, record: LogRecord): void {
    const { stale: set, identity, forest } = this.#machine;
    for (const { address, place } of set.of(tree)) {
      const stale = set.get(place);
      if (stale === undefined) continue;
      if (stale.automaton.isCleanByOthers) {
        this.#account.notJudged.foreignFlush(record);
        continue;
      }
      const entry = entryText(address, place);
      if (stale.told === null) {
        const missing = stale.automaton.missing();
        const why = `the tree was given up while walkers may still use it: ${missing}`;
        this.#account.violate(record, { rule: 'freed-table', why, entry }, stale);
      } else this.#account.causes.again(stale.told, entry);
    }
    identity.release(tree, forest.rootText(tree));
    this.#machine.uproot(tree);
  }
}
