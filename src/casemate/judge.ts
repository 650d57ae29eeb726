/**
 * Judges the events of a log, one at a time: every entry of every tree that the log registers, by
 * the automaton that judges protocols (checker/entry-state.ts), and who may touch it.
 *
 * The memory it takes grows with the tables of the log, not with its length.
 */
import { assertNever } from '../arch/assert.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { childLevel } from '../arch/geometry.ts';
import { NO_HOLES } from '../checker/tables/holes.ts';
import { translates } from '../checker/place.ts';
import type { TraceRun } from '../result/check-trace.ts';
import { Causes, type Finding } from './grouping/causes.ts';
import { Transitions } from './grouping/transitions.ts';
import { NotJudged } from './not-judged.ts';
import type { LogEvent, LogRecord } from './reading/record.ts';
import type { Beside, FlushEvent } from './rules/automaton.ts';
import { decodeTlbi } from './rules/decode-tlbi.ts';
import { El2State } from './rules/el2-state.ts';
import { Identity } from './rules/identity.ts';
import { Ownership } from './rules/ownership.ts';
import { PresumedGone } from './rules/presumed.ts';
import { besideSize, movedUnderBlock, sizeConflict } from './rules/size-conflict.ts';
import { type Stale, StaleSet } from './rules/stale-set.ts';
import { Stage2State } from './rules/stage2-state.ts';
import { type Claim, Forest, type Leaf, type Walked } from './tables/forest.ts';
import { LogMemory, PAGE_BYTES, wordsOf } from './tables/memory.ts';
import { Registers, type Switch } from './tables/registers.ts';
import {
  cacheable,
  childOf,
  type EntryPlace,
  entryText,
  hex,
  isLargeLeaf,
  type TablePage,
  type Tree,
} from './tables/tree.ts';

/** What a log came to, without the file's name and what reading it came to. */
export type Judged = Omit<TraceRun, 'file' | 'damage'>;

export class LogJudge {
  readonly #bbm: BbmLevel;
  #memory = new LogMemory();
  #forest = new Forest(this.#memory);
  #registers = new Registers();
  #stale = new StaleSet((stale) => this.#forget(stale));
  #ownership = new Ownership();
  #identity = new Identity();
  #presumed = new PresumedGone(this.#memory);
  readonly #causes = new Causes();
  readonly #transitions = new Transitions();
  readonly #notJudged = new NotJudged();
  readonly #written = new Set<number>();
  readonly #threads = new Set<number>();
  readonly #tlbis = new Map<string, number>();
  #events = 0;
  /** Switches to declared roots, each of which was judged. */
  #switches = 0;
  #tasksSeen = false;

  constructor(bbm: BbmLevel) {
    this.#bbm = bbm;
  }

  get events(): number {
    return this.#events;
  }

  get causes(): number {
    return this.#causes.count;
  }

  judgement(): Judged {
    this.#stale.settle();
    this.#openNumbers();
    this.#notJudged.end({
      unflushed: this.#stale.size,
      entries: this.#written.size,
      threads: this.#threads.size,
      ownershipTold: this.#ownershipTold,
      hasLocks: this.#ownership.hasLocks,
      ownershipRemark: this.#ownership.remark,
      tasksSeen: this.#tasksSeen,
      nothing: this.#written.size === 0 && this.#switches === 0,
    });
    const violations = this.#causes.violations();
    const open = this.#notJudged.isOpen || (this.#written.size === 0 && this.#switches === 0);
    return {
      verdict: violations.length > 0 ? 'violated' : open ? 'not-judged' : 'clean',
      events: this.#events,
      entries: this.#written.size,
      threads: this.#threads.size,
      violations,
      notJudged: this.#notJudged.texts(),
      transitions: this.#transitions.counts(),
      tlbis: Object.fromEntries([...this.#tlbis].sort(([a], [b]) => a.localeCompare(b))),
      windows: this.#transitions.windows(),
      sequences: this.#transitions.sequences.seen(),
    };
  }

  /** Another log begins: nothing of the machine is as it was, what was found stays. */
  startAgain(): void {
    this.#stale.settle();
    this.#openNumbers();
    this.#memory = new LogMemory();
    this.#forest = new Forest(this.#memory);
    this.#registers = new Registers();
    this.#stale = new StaleSet((stale) => this.#forget(stale));
    this.#ownership = new Ownership();
    this.#identity = new Identity();
    this.#presumed = new PresumedGone(this.#memory);
  }

  take(record: LogRecord): void {
    this.#events += 1;
    this.#threads.add(record.thread);
    if (record.task !== null) this.#tasksSeen = true;
    const { event } = record;
    switch (event.op) {
      case 'write':
        this.#own(event.address, record);
        this.#write(event.address, event.value, record);
        return;
      case 'init':
        this.#fill(event, 0n, record);
        return;
      case 'set':
        this.#fill(event, event.value * 0x0101_0101_0101_0101n, record);
        return;
      case 'free':
        this.#free(event, record);
        return;
      case 'dsb': {
        // DSB SY is of the Full System domain, which the Inner Shareable one is part of.
        const kind = event.scope === 'sy' ? 'ish' : event.scope;
        if (kind === 'ish') {
          this.#registers.idle(record.thread);
          this.#identity.complete(record.thread);
        }
        this.#flush({ op: 'dsb', kind }, record);
        return;
      }
      case 'isb':
        this.#registers.isb(record.thread);
        this.#transitions.sequences.isb(record.thread);
        return;
      case 'tlbi':
        this.#tlbi(event, record);
        return;
      case 'sysreg':
        this.#sysreg(event, record);
        return;
      case 'hint':
        this.#ownership.hint(event);
        if (event.kind === 'set_root_lock') this.#declare(event.location);
        if (event.kind === 'release_table') this.#release(event.location, record);
        return;
      case 'lock':
      case 'trylock':
      case 'unlock':
        this.#ownership.lock(event, record);
        return;
      case 'read':
        return;
      default:
        return assertNever(event);
    }
  }

  get #ownershipTold(): boolean {
    return this.#ownership.isTold || this.#registers.instrumented;
  }

  #violate(record: LogRecord, finding: Omit<Finding, 'history'>, stale?: Stale): unknown {
    return this.#causes.tell({ ...finding, history: stale?.history ?? [] }, record);
  }

  /** Where the address lies in a tree, once walkers have left what is clean by now. */
  #placeOf(address: number): EntryPlace | null {
    for (;;) {
      const place = this.#forest.entryAt(address);
      if (place === null || this.#stale.size === 0) return place;
      let page: TablePage | undefined = place.page;
      let changed = false;
      while (page !== undefined && page.parent !== null) {
        this.#stale.above(page);
        if (this.#forest.entryAt(address)?.page !== place.page) changed = true;
        page = changed ? undefined : (this.#forest.above(page) ?? undefined);
      }
      if (!changed) return place;
    }
  }

  #own(address: number, record: LogRecord): void {
    const place = this.#placeOf(address);
    if (place === null) return;
    this.#written.add(address);
    if (!this.#ownershipTold) return;
    const why = this.#ownership.objection(address, place.page, record.thread);
    if (why !== null)
      this.#violate(record, { rule: 'ownership', why, entry: entryText(address, place) });
  }

  #write(address: number, value: Descriptor, record: LogRecord): void {
    const before = this.#memory.read(address);
    const place = this.#placeOf(address);
    if (place === null || before === value) {
      this.#memory.write(address, value);
      return;
    }
    this.#written.add(address);
    this.#registers.busy(record.thread);
    const { tree } = place.page;
    const seen = [
      cacheable(tree, before, place.level),
      cacheable(tree, value, place.level),
    ] as const;
    const { level } = place;
    if (isLargeLeaf(tree, before, level) || isLargeLeaf(tree, value, level))
      this.#notJudged.largeLeaf(address, place, record);
    const holder = this.#holderOf(place);
    if (holder === null) {
      const maps = this.#mapsSomething(address, place, seen[0]);
      this.#store(address, place, seen, record);
      this.#transitions.store(address, place, seen, record, { events: this.#events, maps });
    } else this.#storeFrozen(address, place, seen, holder, record);
    this.#memory.write(address, value);
    if (translates(value, place.level, true)) {
      // Without FEAT_BBM the table over the block was wrong, which was said.
      if (this.#bbm > 0 && this.#stale.size > 0 && holder === null)
        this.#underBlock(address, place, seen[1], record);
      tree.filled = true;
      this.#unflushedNumber({ tree }, record);
    }
    const child = childOf(tree, value, place.level);
    if (child !== null) {
      if (this.#placeOf(child) === null && !this.#memory.isTold(child))
        this.#notJudged.unknownContents(child, record);
      this.#forest.link(address, child, this.#claim(false, record));
    }
    if (place.level < 3 && this.#stale.size > 0 && holder === null)
      this.#cover(address, place, record);
  }

  #mapsSomething(address: number, { page, level }: EntryPlace, descriptor: Descriptor): boolean {
    const table = childOf(page.tree, descriptor, level);
    return table === null || this.#forest.leavesBelow(address, table).length > 0;
  }

  #store(
    address: number,
    place: EntryPlace,
    [before, value]: readonly [Descriptor, Descriptor],
    record: LogRecord,
  ): void {
    const wasValid = translates(before, place.level, true);
    const pending = this.#foreignFlush(address, place, value, record);
    // Over what is invalid and clean anything may be written.
    if (pending === undefined && !wasValid) return;
    const stale = pending ?? this.#watch(address, place, before, record);
    const table = this.#tableOf(address, place, before);
    if (table !== null) stale.tables.add(table);
    this.#judgeStore(stale, value, record);
    if (stale.automaton.isClean) this.#stale.delete(stale);
    else if (wasValid) {
      // Only a store over something valid makes more stale; others leave the duty where it is.
      stale.agent = { thread: record.thread, task: record.task };
      this.#stale.renewed(stale);
      place.page.tree.breaks += 1;
    }
  }

  #judgeStore(stale: Stale, value: Descriptor, record: LogRecord): void {
    const index = record.line - 1;
    const beside = this.#besideSize(stale, value);
    const finding = stale.automaton.store(value, index, this.#bbm, beside);
    const alone = stale.forgiven?.store(value, index, this.#bbm, beside) ?? null;
    if (finding !== null) this.#tellStore(stale, finding.why, alone?.why ?? null, value, record);
    this.#remember(stale, value, record);
  }

  /** The table in question is the one that is stored, or those that the block takes the place of. */
  #besideSize({ place, tables, automaton }: Stale, value: Descriptor): Beside {
    return (block) => {
      // A change of size is wrong then, whatever else changes.
      if (this.#bbm === 0) return [];
      const found = block === value ? [...tables] : [];
      const leaves = found
        .flatMap((table) => this.#forest.leavesOf(table))
        .filter((leaf) => automaton.mayHold(leaf));
      return besideSize(block, place, found.length > 0 ? leaves : this.#leavesAt(place, value));
    };
  }

  /** What walkers may find by a valid descriptor. */
  #leavesAt({ page: { tree }, level, ipa, size }: EntryPlace, value: Descriptor): Leaf[] {
    const base = childOf(tree, value, level);
    if (base === null) return [{ d: value, level, ipa, size }];
    return this.#forest.leavesOf({ tree, base, level: childLevel(level), ipa });
  }

  /** A block above `place` that a table has replaced without a break may still be cached. */
  #underBlock(address: number, place: EntryPlace, value: Descriptor, record: LogRecord): void {
    for (let at: TablePage | null = place.page; at !== null; at = this.#forest.above(at)) {
      const stale = this.#stale.above(at);
      if (stale === undefined || stale.told !== null) continue;
      const why = movedUnderBlock(stale, this.#leavesAt(place, value), this.#bbm);
      if (why === null) continue;
      if (stale.automaton.isCleanByOthers) {
        this.#notJudged.foreignFlush(record);
        continue;
      }
      const entry = entryText(address, place);
      stale.told = this.#violate(record, { rule: 'break-before-make', why, entry }, stale);
    }
  }

  /** The page of the tree that the entry at `address` links by `value`. */
  #tableOf(address: number, { page, level }: EntryPlace, value: Descriptor): TablePage | null {
    const table = childOf(page.tree, value, level);
    const child = table === null ? null : this.#forest.pageAt(table);
    return child?.parent === address ? child : null;
  }

  /**
   * What is stale of the entry at `address`. If others have flushed it, nobody knows whether they had
   * seen the store that made it stale; from here on it is taken to be clean.
   */
  #foreignFlush(
    address: number,
    place: EntryPlace,
    value: Descriptor,
    record: LogRecord,
  ): Stale | undefined {
    const stale = this.#stale.get(place);
    if (stale === undefined) return undefined;
    if (!stale.automaton.isCleanByOthers) {
      // Its table may be another page than when it became stale.
      stale.address = address;
      stale.place = place;
      return stale;
    }
    const beside = this.#besideSize(stale, value);
    const finding = stale.automaton.store(value, record.line - 1, this.#bbm, beside);
    // Of a table that is no part of the tree any more, nobody could fill anything again.
    const isSameTable = stale.place.page === place.page;
    if (isSameTable && finding?.code === 'valid-over-unclean') this.#notJudged.foreignFlush(record);
    this.#letGo(stale);
    return undefined;
  }

  /** It is taken to be clean. */
  #letGo(stale: Stale): void {
    this.#stale.delete(stale);
    this.#forget(stale);
  }

  /**
   * Of what the valid entry at `address` covers from now on, something may still be cached at deeper
   * levels: what a table of before left there, which is no part of the tree any more.
   */
  #cover(address: number, place: EntryPlace, record: LogRecord): void {
    // What is wrong with the entry itself was said.
    if ((this.#stale.get(place)?.told ?? null) !== null) return;
    const told = new Set<number>();
    for (const stale of this.#stale.below(place)) {
      const end = this.#forest.walk(address, stale.place);
      if (end === null) continue;
      const { level, page } = end.place;
      const value = cacheable(page.tree, this.#memory.read(end.address), level);
      if (!translates(value, level, true)) continue;
      if (level < stale.place.level) {
        if (!told.has(end.address) && this.#coverByLeaf(stale, value, end, record))
          told.add(end.address);
        continue;
      }
      const pending = this.#foreignFlush(end.address, end.place, value, record);
      if (pending !== undefined) this.#judgeStore(pending, value, record);
    }
  }

  #coverByLeaf(stale: Stale, value: Descriptor, { address, place }: Walked, r: LogRecord): boolean {
    if (stale.automaton.isCleanByOthers) {
      this.#letGo(stale);
      return false;
    }
    const why = sizeConflict(stale, value, place, this.#bbm);
    if (why === null) return false;
    const entry = entryText(address, place);
    if (stale.told === null)
      stale.told = this.#violate(r, { rule: 'break-before-make', why, entry }, stale);
    else this.#causes.again(stale.told, entry);
    return true;
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
      this.#causes.again(stale.told, entry);
      return;
    }
    const remark = stale.automaton.remark();
    const full = remark === null ? why : `${why}; ${remark}`;
    stale.told = this.#violate(record, { rule: 'break-before-make', why: full, entry }, stale);
    if (record.event.op === 'write')
      stale.forgiven = this.#automatonOf(stale.address, stale.place, value, record);
  }

  #remember(stale: Stale, value: Descriptor, { line, thread, source }: LogRecord): void {
    const what = translates(value, stale.place.level, true) ? 'valid' : 'invalid';
    if (stale.history.length < 24)
      stale.history.push({ line, thread, text: `store ${hex(value)} (${what})`, source });
  }

  #watch(address: number, place: EntryPlace, old: Descriptor, record: LogRecord): Stale {
    const { thread, task } = record;
    return this.#stale.add({
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

  #automatonOf(
    address: number,
    { level, ipa, size, page }: EntryPlace,
    old: Descriptor,
    record: LogRecord,
  ): Stage2State | El2State {
    const { tree } = page;
    const table = childOf(tree, old, level);
    const oldLeaves = table === null ? [] : this.#forest.leavesBelow(address, table);
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
    const others = this.#registers.numbersBeside(tree.id, tree.root);
    if (others.length > 0) this.#notJudged.manyNumbers(tree, others, record);
    return new Stage2State(place, others);
  }

  /** The stale entry above `place` through which walkers may still come to it. */
  #holderOf(place: EntryPlace): Stale | null {
    if (this.#stale.size === 0) return null;
    let { page } = place;
    while (page.parent !== null) {
      const holder = this.#stale.above(page);
      if (holder?.tables.has(page) === true && !this.#points(page.parent, page.base)) return holder;
      const above = this.#forest.above(page);
      if (above === null) return null;
      page = above;
    }
    return null;
  }

  #points(entry: number, table: number): boolean {
    const place = this.#forest.entryAt(entry);
    if (place === null) return false;
    return childOf(place.page.tree, this.#memory.read(entry), place.level) === table;
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
    if (holder.automaton.isCleanByOthers) this.#notJudged.foreignFlush(record);
    else {
      const entry = entryText(address, place);
      this.#violate(record, { rule: 'break-before-make', why, entry }, holder);
    }
  }

  /** A page that a tree has already is linked: by what was stored, or in a tree as it is found. */
  #claim(isFound: boolean, record: LogRecord): Claim {
    return (entry, { base }) => {
      const used = this.#placeOf(base)?.page;
      const place = this.#forest.entryAt(entry);
      if (used === undefined || place === null) return true;
      const { tree } = place.page;
      if (this.#forest.isAbove(used, place.page)) this.#notJudged.selfMap(entry, base, record);
      else if (isFound && used.tree === tree) this.#notJudged.alias(entry, base, record);
      else {
        this.#usedTwice(used, tree, `linked by the ${entryText(entry, place)}`, record);
        return true;
      }
      return false;
    };
  }

  /** A table page that a tree has already becomes part of `by`. */
  #usedTwice(used: TablePage, by: Tree, how: string, record: LogRecord): void {
    const { tree, parent, base } = used;
    if (tree !== by && this.#mayBeGone(tree)) {
      this.#presumeGone(used, by, record);
      return;
    }
    const stale = this.#stale.above(used);
    const still = parent === null || this.#points(parent, base);
    if (!still && (stale === undefined || stale.automaton.isCleanByOthers)) {
      if (stale !== undefined) this.#notJudged.foreignFlush(record);
      this.#forest.unlink(parent, base);
      return;
    }
    const where = parent === null ? `the root at ${hex(tree.root)}` : `the entry at ${hex(parent)}`;
    const missing = stale === undefined ? '' : `: ${stale.automaton.missing()}`;
    const why = still
      ? `a table page is used in two places: it is still part of the tree, by ${where}`
      : `a table page was linked again while walkers may still come to it by ${where}${missing}`;
    const entry = `table page ${hex(base)}, ${how}`;
    this.#violate(record, { rule: 'freed-table', why, entry }, stale);
    if (parent !== null) this.#forest.unlink(parent, base);
  }

  /** Nothing in the log says that the tree is still in use. */
  #mayBeGone(tree: Tree): boolean {
    return !tree.declared && (tree.doubtful || !this.#registers.isLoaded(tree.root));
  }

  #presumeGone(page: TablePage, by: Tree | null, record: LogRecord): void {
    const text = this.#notJudged.presumedGone(page.tree.root, record);
    this.#presumed.add({ page, line: record.line, by, text }, this.#forest);
    this.#uproot(page.tree);
  }

  /** `tree` was taken as given up, and is not: it has the page that was used anew. */
  #takeBack(tree: Tree, record: LogRecord): void {
    const use = this.#presumed.refuted(tree);
    if (use === null) return;
    const { page, line, by } = use;
    this.#notJudged.takenBack(use, record);
    if (by === null) return;
    const why =
      `a table page is used in two places: since line ${line} the tree at ${hex(by.root)} has it, ` +
      `and this one is loaded with it by the entry at ${hex(page.parent ?? 0)}`;
    const entry = `table page ${hex(page.base)} of the tree at ${hex(tree.root)}`;
    this.#violate(record, { rule: 'freed-table', why, entry });
    const used = this.#forest.pageAt(page.base);
    if (used !== null && used.parent !== null) this.#forest.unlink(used.parent, used.base);
  }

  #uproot(tree: Tree): void {
    this.#stale.drop(tree);
    this.#forest.uproot(tree);
  }

  #fill(event: { address: number; size: number }, value: bigint, record: LogRecord): void {
    for (const frame of this.#forest.framesIn(event.address, event.size)) {
      const place = this.#placeOf(frame);
      if (place === null) continue;
      if (event.size >= PAGE_BYTES && this.#mayBeGone(place.page.tree)) {
        this.#presumeGone(place.page, null, record);
        continue;
      }
      const from = Math.max(frame, event.address);
      const to = Math.min(frame + PAGE_BYTES, event.address + event.size);
      for (const word of wordsOf(from, to - from)) this.#write(word, value, record);
    }
    this.#memory.fill(event.address, event.size, value);
  }

  #free(event: { address: number; size: number }, record: LogRecord): void {
    for (const frame of this.#forest.framesIn(event.address, event.size)) {
      const place = this.#placeOf(frame);
      if (place === null) continue;
      if (place.page.tree.doubtful) this.#presumeGone(place.page, null, record);
      else this.#freed(place, 'freed', record);
    }
    this.#memory.fill(event.address, event.size, 0n);
  }

  #freed(place: EntryPlace, how: 'freed' | 'given up', record: LogRecord): void {
    const holder = this.#holderOf(place);
    if (holder?.automaton.isCleanByOthers === true) {
      this.#notJudged.foreignFlush(record);
      return;
    }
    const why =
      holder === null
        ? `a table page was ${how} while it is part of a tree`
        : `a table page was ${how} while walkers may still use it: ${holder.automaton.missing()}`;
    const { parent, base } = place.page;
    const of = parent === null ? 'root' : `linked by the entry at ${hex(parent)}`;
    const entry = `table page ${hex(base)}, ${of}`;
    this.#violate(record, { rule: 'freed-table', why, entry }, holder ?? undefined);
  }

  /** A barrier or TLBI helps the entries that its own thread, or task, made stale. */
  #flush(event: FlushEvent, record: LogRecord): void {
    const { thread, task, line, source } = record;
    this.#stale.flush({ event, agent: { thread, task }, index: line - 1, source });
    this.#transitions.sequences.flush(event, thread);
  }

  #tlbi(event: Extract<LogEvent, { op: 'tlbi' }>, record: LogRecord): void {
    this.#tlbis.set(event.kind, (this.#tlbis.get(event.kind) ?? 0) + 1);
    this.#registers.busy(record.thread);
    const flush = decodeTlbi(event, this.#registers, record, this.#notJudged);
    const { regime, id, all } = flush.takes;
    if (all) this.#identity.flush(regime, id, record.thread);
    else if (id !== null) this.#flushedInPart(regime, id, record);
    if (all && regime === 'stage2' && id === null) this.#registers.flushedAll();
    if (flush.event.op === 'el2' && ![...this.#forest.trees()].some((t) => t.regime === 'el2'))
      this.#notJudged.noEl2Tree(event.kind);
    this.#flush(flush.event, record);
  }

  #flushedInPart(regime: Tree['regime'], id: number, record: LogRecord): void {
    const suspicion = this.#identity.flushedInPart(regime, id);
    if (suspicion !== null) this.#notJudged.partNumber(suspicion.why, record);
  }

  /** Clean: nobody walks from the entry into what it does not point to any more. */
  #forget({ tables }: Stale): void {
    for (const { parent, base } of tables)
      if (parent !== null && !this.#points(parent, base)) this.#forest.unlink(parent, base);
  }

  #declare(root: number): void {
    const tree = this.#forest.treeAt(root);
    if (tree !== null) tree.declared = true;
  }

  #sysreg(event: Extract<LogEvent, { op: 'sysreg' }>, record: LogRecord): void {
    const named = this.#registers.write(event, record.thread);
    if (named?.regime === 'stage2') this.#unflushedNumber({ thread: record.thread }, record);
    if (named === null || named.root === 0) return;
    const asid = this.#identity.asidObjection(named, this.#registers.isHostExtended);
    const entry = `the tree at ${hex(named.root)}`;
    if (asid !== null) this.#violate(record, { rule: 'vmid-isolation', why: asid, entry });
    const known = this.#forest.treeAt(named.root);
    const tree = known?.regime === named.regime ? known : this.#plant(named, record);
    if (tree === null) return;
    tree.doubtful = false;
    if (tree.declared) this.#switches += 1;
    const change = this.#identity.changeObjection(tree, named.id);
    if (change !== null) this.#violate(record, { rule: 'vmid-isolation', why: change, entry });
    if (tree.id !== named.id) this.#renumber(tree, named.id, record);
    if (!tree.filled) tree.filled = this.#forest.isFilled(tree);
    if (tree.filled && named.regime === 'stage2') this.#registers.loadedFilled(record.thread);
    const shared = this.#identity.use(tree, this.#forest.trees(), record.thread, () =>
      this.#forest.rootText(tree),
    );
    if (shared !== null) this.#violate(record, { rule: 'vmid-isolation', why: shared, entry });
    if (named.regime === 'stage2') this.#alsoLoaded(tree, record);
  }

  /** Other CPUs that have another tree loaded under the VMID of `tree`. */
  #alsoLoaded(tree: Tree, record: LogRecord): void {
    for (const [thread, root] of this.#registers.othersUnder(tree.id, tree.root, record.thread)) {
      const other = this.#forest.treeAt(root);
      if (other?.id === tree.id && other.filled && !other.declared)
        this.#notJudged.sharedNumber(tree, other.root, thread, record);
    }
  }

  /** KVM gives a VM another VMID when it has none left. */
  #renumber(tree: Tree, id: number, record: LogRecord): void {
    // Flushes until now were for the number it had.
    this.#stale.settle();
    const stale = this.#stale.of(tree);
    const owes = stale.some(({ automaton }) => !automaton.isCleanByOthers);
    const holds = tree.filled && (owes || this.#forest.isFilled(tree));
    this.#identity.leave(tree, { holds, owes });
    for (const each of stale) this.#renumberStale(each, id, record);
    Object.assign(tree, { id, filled: false, renumbered: true });
  }

  /**
   * What is cached under the old VMID has to go as long as a CPU may use that; the new one can hold
   * the old entry only if it came into use before a DSB ordered the store.
   */
  #renumberStale(stale: Stale, id: number, record: LogRecord): void {
    const { automaton, forgiven, place } = stale;
    if (automaton.vmid === null) return;
    const isUsed = this.#registers.isUnder(automaton.vmid, place.page.tree.root);
    if (!automaton.isOrdered && isUsed) this.#notJudged.unorderedNumber(id, record);
    if (isUsed) return;
    if (automaton.isOrdered) {
      // Whoever uses the old one again has to flush it: that is for Identity.
      this.#stale.delete(stale);
      this.#forget(stale);
      return;
    }
    automaton.renumber(id);
    forgiven?.renumber(id);
  }

  /** The log ends before a number was flushed that two trees had. */
  #openNumbers(): void {
    for (const { why } of this.#identity.open) this.#notJudged.openNumber(why);
  }

  #unflushedNumber(by: Parameters<Identity['convict']>[0], record: LogRecord): void {
    const suspicion = this.#identity.convict(by);
    if (suspicion === null) return;
    const entry = `the tree at ${hex(suspicion.tree.root)}`;
    this.#violate(record, { rule: 'vmid-isolation', why: suspicion.why, entry });
  }

  #plant({ regime, root, id, shape }: Switch, record: LogRecord): Tree | null {
    const reason =
      typeof shape === 'string'
        ? shape
        : root % 2 ** shape.geometry.pageShift === 0
          ? null
          : shape.large || shape.geometry.granule === '64k'
            ? 'its root is above 2^48 (BADDR[5:2]), or no table address'
            : 'its root is no table address';
    const control = this.#registers.control(regime, record.thread);
    if (typeof shape === 'string' || reason !== null) {
      this.#notJudged.tree(root, reason ?? '', control);
      return null;
    }
    if (control.value === null) this.#notJudged.unknownShape(root, control.name);
    if (!this.#memory.isTold(root)) this.#notJudged.unknownContents(root, record);
    const declared = this.#ownership.hasLock(root);
    const flags = { declared, filled: false, renumbered: false, breaks: 0, doubtful: false };
    const tree: Tree = { regime, root, shape, id, ...flags };
    this.#takeBack(tree, record);
    const bytes = shape.pages * 2 ** shape.geometry.pageShift;
    for (const frame of this.#forest.framesIn(root, bytes)) {
      const used = this.#placeOf(frame)?.page;
      if (used !== undefined)
        this.#usedTwice(used, tree, `a root of the tree at ${hex(root)}`, record);
    }
    this.#forest.plant(tree, this.#claim(true, record));
    return tree;
  }

  #release(location: number, record: LogRecord): void {
    this.#presumed.confirm(location);
    const tree = this.#forest.treeAt(location);
    if (tree !== null) {
      this.#releaseTree(tree, record);
      return;
    }
    const place = this.#placeOf(location);
    if (place !== null && location === place.page.base) {
      this.#freed(place, 'given up', record);
      return;
    }
    this.#notJudged.unknownRelease(location, record);
    for (const each of this.#forest.trees()) if (!each.declared) each.doubtful = true;
  }

  #releaseTree(tree: Tree, record: LogRecord): void {
    for (const { address, place } of this.#stale.of(tree)) {
      const stale = this.#stale.get(place);
      if (stale === undefined) continue;
      if (stale.automaton.isCleanByOthers) {
        this.#notJudged.foreignFlush(record);
        continue;
      }
      const entry = entryText(address, place);
      if (stale.told === null) {
        const missing = stale.automaton.missing();
        const why = `the tree was given up while walkers may still use it: ${missing}`;
        this.#violate(record, { rule: 'freed-table', why, entry }, stale);
      } else this.#causes.again(stale.told, entry);
    }
    this.#identity.release(tree, this.#forest.rootText(tree));
    this.#uproot(tree);
  }
}
