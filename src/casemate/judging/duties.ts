/**
 * The duty that an entry leaves when a store makes something of it stale, and the automaton that holds
 * later stores to the same addresses against it. Which entries a store has to be held against is for
 * stores.ts and other-levels.ts.
 */
import type { Descriptor } from '../../arch/descriptor.ts';
import { translates } from '../../checker/place.ts';
import { NO_HOLES } from '../../checker/tables/holes.ts';
import type { LogRecord } from '../reading/record.ts';
import type { Beside } from '../rules/automaton.ts';
import { El2State } from '../rules/el2-state.ts';
import { besideSize } from '../rules/size-conflict.ts';
import { Stage2State } from '../rules/stage2-state.ts';
import { HISTORY_MAX, type Stale } from '../rules/stale-set.ts';
import { childOf, type EntryPlace, entryText, hex, type TablePage } from '../tables/tree.ts';
import type { Account } from './account.ts';
import type { LogMachine } from './log-machine.ts';

export class Duties {
  readonly #machine: LogMachine;
  readonly #account: Account;

  constructor(machine: LogMachine, account: Account) {
    this.#machine = machine;
    this.#account = account;
  }

  watch(address: number, place: EntryPlace, old: Descriptor, record: LogRecord): Stale {
    const { thread, task } = record;
    return this.#machine.stale.add({
      address,
      place,
      automaton: this.#automatonOf(address, place, old, record),
      agent: { thread, task },
      tables: new Set<TablePage>(),
      told: null,
      forgiven: null,
      history: [],
    });
  }

  /**
   * What is stale of the entry at `address`. If others have flushed it, nobody knows whether they had
   * seen the store that made it stale; from here on it is taken to be clean.
   */
  foreignFlush(
    address: number,
    place: EntryPlace,
    value: Descriptor,
    record: LogRecord,
  ): Stale | undefined {
    const { stale: set, bbm } = this.#machine;
    const stale = set.get(place);
    if (stale === undefined) return undefined;
    if (!stale.automaton.isCleanByOthers) {
      // Its table may be another page than when it became stale.
      stale.address = address;
      stale.place = place;
      return stale;
    }
    const beside = this.#besideSize(stale, value);
    const finding = stale.automaton.store(value, record.line - 1, bbm, beside);
    // Of a table that is no part of the tree any more, nobody could fill anything again.
    const isSameTable = stale.place.page === place.page;
    if (isSameTable && finding?.code === 'valid-over-unclean')
      this.#account.notJudged.foreignFlush(record);
    this.#machine.letGo(stale);
    return undefined;
  }

  judgeStore(stale: Stale, value: Descriptor, record: LogRecord): void {
    const index = record.line - 1;
    const { bbm } = this.#machine;
    const beside = this.#besideSize(stale, value);
    const finding = stale.automaton.store(value, index, bbm, beside);
    const alone = stale.forgiven?.store(value, index, bbm, beside) ?? null;
    if (finding !== null) this.#tellStore(stale, finding.why, alone?.why ?? null, value, record);
    this.#remember(stale, value, record);
  }

  /** The table in question is the one that is stored, or those that the block takes the place of. */
  #besideSize({ place, tables, automaton }: Stale, value: Descriptor): Beside {
    return (block) => {
      // A change of size is wrong then, whatever else changes.
      if (this.#machine.bbm === 0) return [];
      const found = block === value ? [...tables] : [];
      const leaves = found
        .flatMap((table) => this.#machine.forest.leavesOf(table))
        .filter((leaf) => automaton.mayHold(leaf));
      const others = found.length > 0 ? leaves : this.#machine.leavesAt(place, value);
      return besideSize(block, place, others);
    };
  }

  /** `alone`: what would be wrong if the entry had been clean since its last finding. */
  #tellStore(
    stale: Stale,
    why: string,
    alone: string | null,
    value: Descriptor,
    record: LogRecord,
  ): void {
    const entry = entryText(stale.address, stale.place);
    if (stale.told !== null && alone === null) {
      this.#account.causes.again(stale.told, entry);
      return;
    }
    const remark = stale.automaton.remark();
    const full = remark === null ? why : `${why}; ${remark}`;
    const rule = 'break-before-make';
    stale.told = this.#account.violate(record, { rule, why: full, entry }, stale);
    if (record.event.op === 'write')
      stale.forgiven = this.#automatonOf(stale.address, stale.place, value, record);
  }

  #remember(stale: Stale, value: Descriptor, { line, thread, source }: LogRecord): void {
    const what = translates(value, stale.place.level, true) ? 'valid' : 'invalid';
    if (stale.history.length < HISTORY_MAX)
      stale.history.push({ line, thread, text: `store ${hex(value)} (${what})`, source });
  }

  #automatonOf(
    address: number,
    { level, ipa, size, page }: EntryPlace,
    old: Descriptor,
    record: LogRecord,
  ): Stage2State | El2State {
    const { forest, registers } = this.#machine;
    const { tree } = page;
    const table = childOf(tree, old, level);
    const oldLeaves = table === null ? [] : forest.leavesBelow(address, table);
    const place = {
      geometry: tree.shape.geometry,
      ...{ level, ipa, size, old, oldLeaves },
      // What a table maps is what its leaves do.
      maps: null,
      holes: NO_HOLES,
      hafdbs: tree.shape.hardwareAf,
      vmid: tree.id,
    };
    if (tree.regime === 'el2') return new El2State(place);
    if (!tree.renumbered) return new Stage2State(place, []);
    const others = registers.numbersBeside(tree.id, tree.root);
    if (others.length > 0) this.#account.notJudged.manyNumbers(tree, others, record);
    return new Stage2State(place, others);
  }
}
