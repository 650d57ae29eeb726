/**
 * A store to an entry of a tree: who may make it, what it makes stale, and whether it may stand where
 * something stale is. Memory that is filled is stored to word by word where it is a table.
 */
import type { Descriptor } from '../../arch/descriptor.ts';
import { translates } from '../../checker/place.ts';
import type { LogRecord } from '../reading/record.ts';
import type { Stale } from '../rules/stale-set.ts';
import { PAGE_BYTES, wordsOf } from '../tables/memory.ts';
import { cacheable, childOf, type EntryPlace, entryText, isLargeLeaf } from '../tables/tree.ts';
import type { Account } from './account.ts';
import { Duties } from './duties.ts';
import type { LogMachine } from './log-machine.ts';
import type { Numbers } from './numbers.ts';
import { OtherLevels } from './other-levels.ts';
import type { Pages } from './pages.ts';

export class Stores {
  readonly #machine: LogMachine;
  readonly #account: Account;
  readonly #pages: Pages;
  readonly #numbers: Numbers;
  readonly #duties: Duties;
  readonly #otherLevels: OtherLevels;

  constructor(machine: LogMachine, account: Account, pages: Pages, numbers: Numbers) {
    this.#machine = machine;
    this.#account = account;
    this.#pages = pages;
    this.#numbers = numbers;
    this.#duties = new Duties(machine, account);
    this.#otherLevels = new OtherLevels(machine, account, this.#duties);
  }

  own(address: number, record: LogRecord): void {
    const place = this.#machine.placeOf(address);
    if (place === null) return;
    this.#account.written.add(address);
    if (!this.#machine.ownershipTold) return;
    const why = this.#machine.ownership.objection(address, place.page, record.thread);
    if (why === null) return;
    const entry = entryText(address, place);
    this.#account.violate(record, { rule: 'ownership', why, entry });
  }

  write(address: number, value: Descriptor, record: LogRecord): void {
    const { memory, forest, registers, stale, bbm } = this.#machine;
    const account = this.#account;
    const before = memory.read(address);
    const place = this.#machine.placeOf(address);
    if (place === null || before === value) {
      memory.write(address, value);
      return;
    }
    account.written.add(address);
    registers.busy(record.thread);
    const { tree } = place.page;
    const seen = [
      cacheable(tree, before, place.level),
      cacheable(tree, value, place.level),
    ] as const;
    const { level } = place;
    if (isLargeLeaf(tree, before, level) || isLargeLeaf(tree, value, level))
      account.notJudged.largeLeaf(address, place, record);
    const holder = this.#machine.holderOf(place);
    if (holder === null) {
      const maps = this.#machine.mapsSomething(address, place, seen[0]);
      this.#store(address, place, seen, record);
      account.transitions.store(address, place, seen, record, { events: account.events, maps });
    } else this.#storeFrozen(address, place, seen, holder, record);
    memory.write(address, value);
    if (translates(value, place.level, true)) {
      // Without FEAT_BBM the table over the block was wrong, which was said.
      if (bbm > 0 && stale.size > 0 && holder === null)
        this.#otherLevels.underBlock(address, place, seen[1], record);
      tree.filled = true;
      this.#numbers.unflushedNumber({ tree }, record);
    }
    const child = childOf(tree, value, place.level);
    if (child !== null) {
      if (this.#machine.placeOf(child) === null && !memory.isTold(child))
        account.notJudged.unknownContents(child, record);
      forest.link(address, child, this.#pages.claim(false, record));
    }
    if (place.level < 3 && stale.size > 0 && holder === null)
      this.#otherLevels.cover(address, place, record);
  }

  /** Who holds the lock of a table in it is not asked. */
  fill(event: { address: number; size: number }, value: bigint, record: LogRecord): void {
    const { forest, memory } = this.#machine;
    for (const frame of forest.framesIn(event.address, event.size)) {
      const place = this.#machine.placeOf(frame);
      if (place === null) continue;
      if (event.size >= PAGE_BYTES && this.#machine.mayBeGone(place.page.tree)) {
        this.#pages.presumeGone(place.page, null, record);
        continue;
      }
      const from = Math.max(frame, event.address);
      const to = Math.min(frame + PAGE_BYTES, event.address + event.size);
      for (const word of wordsOf(from, to - from)) this.write(word, value, record);
    }
    memory.fill(event.address, event.size, value);
  }

  #store(
    address: number,
    place: EntryPlace,
    [before, value]: readonly [Descriptor, Descriptor],
    record: LogRecord,
  ): void {
    const wasValid = translates(before, place.level, true);
    const pending = this.#duties.foreignFlush(address, place, value, record);
    // Over what is invalid and clean anything may be written.
    if (pending === undefined && !wasValid) return;
    const stale = pending ?? this.#duties.watch(address, place, before, record);
    const table = this.#machine.tableOf(address, place, before);
    if (table !== null) stale.tables.add(table);
    this.#duties.judgeStore(stale, value, record);
    if (stale.automaton.isClean) this.#machine.stale.delete(stale);
    else if (wasValid) {
      // Only a store over something valid makes more stale; others leave the duty where it is.
      stale.agent = { thread: record.thread, task: record.task };
      this.#machine.stale.renewed(stale);
      place.page.tree.breaks += 1;
    }
  }

  #storeFrozen(
    address: number,
    place: EntryPlace,
    [before, value]: readonly [Descriptor, Descriptor],
    holder: Stale,
    record: LogRecord,
  ): void {
    if (!translates(before, place.level, true) && !translates(value, place.level, true)) return;
    const missing = holder.automaton.missing();
    const why = `an entry of the old table was written while walkers may still use it: ${missing}`;
    if (holder.automaton.isCleanByOthers) this.#account.notJudged.foreignFlush(record);
    else {
      const entry = entryText(address, place);
      this.#account.violate(record, { rule: 'break-before-make', why, entry }, holder);
    }
  }
}
