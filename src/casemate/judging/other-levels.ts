/**
 * A valid entry against what is stale of its addresses at other levels: above it, where a table has
 * replaced a block without a break, and below it, where a table was that is no part of the tree any
 * more. Two sizes for one address are wrong, or move something, though each entry by itself is right.
 */
import type { Descriptor } from '../../arch/descriptor.ts';
import { translates } from '../../checker/place.ts';
import type { LogRecord } from '../reading/record.ts';
import { movedUnderBlock, sizeConflict } from '../rules/size-conflict.ts';
import type { Stale } from '../rules/stale-set.ts';
import type { Walked } from '../tables/forest.ts';
import { cacheable, type EntryPlace, entryText, type TablePage } from '../tables/tree.ts';
import type { Account } from './account.ts';
import type { Duties } from './duties.ts';
import type { LogMachine } from './log-machine.ts';

export class OtherLevels {
  readonly #machine: LogMachine;
  readonly #account: Account;
  readonly #duties: Duties;

  constructor(machine: LogMachine, account: Account, duties: Duties) {
    this.#machine = machine;
    this.#account = account;
    this.#duties = duties;
  }

  /** A block above `place` that a table has replaced without a break may still be cached. */
  underBlock(address: number, place: EntryPlace, value: Descriptor, record: LogRecord): void {
    const { stale: set, forest, bbm } = this.#machine;
    for (let at: TablePage | null = place.page; at !== null; at = forest.above(at)) {
      const stale = set.above(at);
      if (stale === undefined || stale.told !== null) continue;
      const why = movedUnderBlock(stale, this.#machine.leavesAt(place, value), bbm);
      if (why === null) continue;
      if (stale.automaton.isCleanByOthers) {
        this.#account.notJudged.foreignFlush(record);
        continue;
      }
      const entry = entryText(address, place);
      const rule = 'break-before-make';
      stale.told = this.#account.violate(record, { rule, why, entry }, stale);
    }
  }

  /**
   * Of what the valid entry at `address` covers from now on, something may still be cached at deeper
   * levels: what a table of before left there, which is no part of the tree any more.
   */
  cover(address: number, place: EntryPlace, record: LogRecord): void {
    const { stale: set, forest, memory } = this.#machine;
    // What is wrong with the entry itself was said.
    if ((set.get(place)?.told ?? null) !== null) return;
    const told = new Set<number>();
    for (const stale of set.below(place)) {
      const end = forest.walk(address, stale.place);
      if (end === null) continue;
      const { level, page } = end.place;
      const value = cacheable(page.tree, memory.read(end.address), level);
      if (!translates(value, level, true)) continue;
      if (level < stale.place.level) {
        if (!told.has(end.address) && this.#coverByLeaf(stale, value, end, record))
          told.add(end.address);
        continue;
      }
      const pending = this.#duties.foreignFlush(end.address, end.place, value, record);
      if (pending !== undefined) this.#duties.judgeStore(pending, value, record);
    }
  }

  #coverByLeaf(stale: Stale, value: Descriptor, { address, place }: Walked, r: LogRecord): boolean {
    if (stale.automaton.isCleanByOthers) {
      this.#machine.letGo(stale);
      return false;
    }
    const why = sizeConflict(stale, value, place, this.#machine.bbm);
    if (why === null) return false;
    const entry = entryText(address, place);
    if (stale.told === null)
      stale.told = this.#account.violate(r, { rule: 'break-before-make', why, entry }, stale);
    else this.#account.causes.again(stale.told, entry);
    return true;
  }
}
