/**
 * Judges the events of a log: every entry of every registered stage-2 tree by the automaton that
 * judges protocols (checker/entry-state.ts), at a level of FEAT_BBM that casemate does not know.
 *
 * As in casemate only the thread that made an entry stale can clean it: barriers and TLBIs of
 * others order nothing for it. Not judged: locks and ownership, and stage-1 trees.
 */
import { assertNever } from '../arch/assert.ts';
import { addressOf, type Descriptor, isTable } from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { EntryState } from '../checker/entry-state.ts';
import { translates } from '../checker/place.ts';
import type { TraceEvent } from '../port/trace.ts';
import type { TraceViolation } from '../result/check-trace.ts';
import { type EntryPlace, Forest } from './forest.ts';
import { LogMemory, PAGE_BYTES, wordsOf } from './memory.ts';
import type { LogEvent, LogRecord } from './record.ts';
import { Registers } from './registers.ts';
import { GEOMETRY } from './start-level.ts';

/** An entry of which something stale may be cached. */
interface Unclean {
  readonly state: EntryState;
  /** The one that made it stale. */
  readonly thread: number;
  /** Table pages that it pointed to and that walkers may still be in. */
  readonly tables: Set<number>;
}

export interface LogJudgement {
  readonly records: number;
  readonly entries: number;
  readonly violations: readonly TraceViolation[];
  readonly notes: readonly string[];
}

export class LogChecker {
  readonly #bbm: BbmLevel;
  readonly #memory = new LogMemory();
  readonly #forest = new Forest(this.#memory);
  readonly #unclean = new Map<number, Unclean>();
  readonly #written = new Set<number>();
  readonly #violations: TraceViolation[] = [];
  readonly #notes = new Set<string>();
  readonly #registers = new Registers((text) => void this.#notes.add(text));
  #records = 0;

  constructor(bbm: BbmLevel) {
    this.#bbm = bbm;
  }

  judgement(): LogJudgement {
    const left = this.#unclean.size;
    if (left > 0) this.#notes.add(`entries not flushed yet at the end of the log: ${left}`);
    return {
      records: this.#records,
      entries: this.#written.size,
      violations: this.#violations,
      notes: [...this.#notes],
    };
  }

  take(record: LogRecord): void {
    this.#records += 1;
    const { event } = record;
    switch (event.op) {
      case 'write':
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
      case 'dsb':
        // DSB SY is of the Full System domain, which the Inner Shareable one is part of.
        this.#advance({ op: 'dsb', kind: event.scope === 'sy' ? 'ish' : event.scope }, record);
        return;
      case 'tlbi': {
        const tlbi = this.#registers.tlbi(event, record.thread);
        if (tlbi !== null) this.#advance({ op: 'tlbi', tlbi }, record);
        return;
      }
      case 'sysreg':
        this.#sysreg(event, record);
        return;
      case 'hint':
        if (event.kind === 'release_table') this.#release(event.location, record);
        return;
      case 'read':
      case 'isb':
      case 'lock':
      case 'trylock':
      case 'unlock':
        return;
      default:
        return assertNever(event);
    }
  }

  #violate(record: LogRecord, rule: TraceViolation['rule'], why: string, entry: string): void {
    this.#violations.push({ line: record.line, rule, why, source: record.source, entry });
  }

  #write(address: number, value: Descriptor, record: LogRecord): void {
    const before = this.#memory.read(address);
    const place = this.#forest.entryAt(address);
    if (place === null || before === value) {
      this.#memory.write(address, value);
      return;
    }
    this.#written.add(address);
    const holder = this.#holderOf(place);
    if (holder === null) this.#store(address, place, before, value, record);
    else this.#storeFrozen(address, place, before, value, holder, record);
    this.#memory.write(address, value);
    if (isTable(value, place.level)) this.#forest.link(address, addressOf(GEOMETRY, value));
  }

  #store(
    address: number,
    place: EntryPlace,
    before: Descriptor,
    value: Descriptor,
    record: LogRecord,
  ): void {
    const pending = this.#unclean.get(address);
    // Over what is invalid and clean anything may be written.
    if (pending === undefined && !translates(before, place.level)) return;
    const own = pending ?? this.#watch(address, place, before, record.thread);
    const finding = own.state.store(value, record.id, this.#bbm);
    if (finding !== null)
      this.#violate(record, 'break-before-make', finding.why, entryText(address, place));
    if (isTable(before, place.level)) own.tables.add(addressOf(GEOMETRY, before));
    if (own.state.must === null) this.#unclean.delete(address);
    // Only a store over something valid makes more stale; others leave the duty where it is.
    else if (translates(before, place.level))
      this.#unclean.set(address, { ...own, thread: record.thread });
  }

  #watch(address: number, place: EntryPlace, old: Descriptor, thread: number): Unclean {
    const { level, ipa, size } = place;
    const table = isTable(old, level) ? addressOf(GEOMETRY, old) : null;
    const oldLeaves = table === null ? [] : this.#forest.leavesBelow(table);
    const { vmid } = place.page;
    // Logs do not say what a table's leaves map beside addresses, nor whether hardware sets flags.
    const rest = { maps: null, hafdbs: false };
    const seen = { geometry: GEOMETRY, level, ipa, size, vmid, old, oldLeaves, ...rest };
    const state = new EntryState(seen);
    const own = { state, thread, tables: new Set<number>() };
    this.#unclean.set(address, own);
    return own;
  }

  /** The unclean entry above `place` through which walkers may still come to it. */
  #holderOf(place: EntryPlace): Unclean | null {
    let { page, table } = place;
    while (page.parent !== null) {
      const holder = this.#unclean.get(page.parent);
      if (holder?.tables.has(table) === true && !this.#points(page.parent, table)) return holder;
      const above = this.#forest.entryAt(page.parent);
      if (above === null) return null;
      ({ page, table } = above);
    }
    return null;
  }

  #points(entry: number, table: number): boolean {
    const level = this.#forest.entryAt(entry)?.level ?? 3;
    const value = this.#memory.read(entry);
    return isTable(value, level) && addressOf(GEOMETRY, value) === table;
  }

  #storeFrozen(
    address: number,
    place: EntryPlace,
    before: Descriptor,
    value: Descriptor,
    { state }: Unclean,
    record: LogRecord,
  ): void {
    if (!translates(before, place.level) && !translates(value, place.level)) return;
    const why = `an entry of the old table was written while walkers may still use it: ${state.missing()}`;
    this.#violate(record, 'break-before-make', why, entryText(address, place));
  }

  #fill(event: { address: number; size: number }, value: bigint, record: LogRecord): void {
    for (const page of this.#forest.pagesIn(event.address, event.size)) {
      const from = Math.max(page, event.address);
      const to = Math.min(page + PAGE_BYTES, event.address + event.size);
      for (const word of wordsOf(from, to - from)) this.#write(word, value, record);
    }
    this.#memory.fill(event.address, event.size, value);
  }

  #free(event: { address: number; size: number }, record: LogRecord): void {
    for (const page of this.#forest.pagesIn(event.address, event.size)) {
      const place = this.#forest.entryAt(page);
      if (place === null) continue;
      const holder = this.#holderOf(place);
      const why =
        holder === null
          ? 'a table page was freed while it is part of a tree'
          : `a table page was freed while walkers may still use it: ${holder.state.missing()}`;
      const { parent } = place.page;
      const of = parent === null ? 'root' : `linked by the entry at ${hex(parent)}`;
      this.#violate(record, 'freed-table', why, `table page ${hex(page)}, ${of}`);
    }
    this.#memory.fill(event.address, event.size, 0n);
  }

  /** A barrier or TLBI helps the entries that its own thread made stale. */
  #advance(event: TraceEvent, { id, thread }: LogRecord): void {
    for (const [address, own] of this.#unclean) {
      if (own.thread !== thread) continue;
      own.state.advance(event, id);
      if (own.state.must !== null) continue;
      this.#unclean.delete(address);
      this.#forget(address, own);
    }
  }

  /** Clean: nobody walks from the entry into what it does not point to any more. */
  #forget(address: number, { tables, state }: Unclean): void {
    const now = isTable(state.current, state.place.level)
      ? addressOf(GEOMETRY, state.current)
      : null;
    for (const table of tables) if (table !== now) this.#forest.unlink(address, table);
  }

  #sysreg(event: Extract<LogEvent, { op: 'sysreg' }>, { thread }: LogRecord): void {
    const tree = this.#registers.write(event, thread);
    if (tree === null || this.#forest.hasRoot(tree.root)) return;
    const { root, vmid, start } = tree;
    if (start !== null && root % PAGE_BYTES === 0) {
      this.#forest.plant(root, vmid, start);
      return;
    }
    const { vtcrText } = this.#registers;
    this.#notes.add(
      `the tree at ${hex(root)} is not judged: it is not of the 4K granule${vtcrText}`,
    );
  }

  #release(root: number, record: LogRecord): void {
    for (const [address, { state }] of this.#unclean) {
      const place = this.#forest.entryAt(address);
      if (place?.page.root !== root) continue;
      const why = `the tree was given up while walkers may still use it: ${state.missing()}`;
      this.#violate(record, 'freed-table', why, entryText(address, place));
      this.#unclean.delete(address);
    }
    this.#forest.uproot(root);
  }
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function entryText(address: number, { level, ipa, size, page }: EntryPlace): string {
  const range = `IPA ${hex(ipa)} to ${hex(ipa + size - 1)}`;
  return `entry at ${hex(address)}, level ${level}, ${range}, VMID ${page.vmid}`;
}
