/**
 * The per-entry break-before-make automaton over one transition: casemate's (v3.0.2,
 * src/lib/src/model.c: VALID, INVALID_UNCLEAN, INVALID) extended with FEAT_BBM, which casemate
 * does not model.
 *
 * entry-state.ts follows what an entry holds and which old translations of it may still be cached,
 * for the target and for each child entry that is stored to where walkers can reach it. store-rule.ts
 * judges a store, obligation.ts barriers and TLBIs, tables/table-map.ts knows who points to whom,
 * tables/table-life.ts judges frees, lock-rule.ts who may store beside others, publication.ts and
 * cache-clean.ts contents, end-of-transition.ts and tables/new-tables.ts where it arrived.
 */
import { assertNever } from '../arch/assert.ts';
import {
  type Descriptor,
  isTable,
  isValid,
  LOCKED,
  sameButState,
  typeOf,
} from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { entrySize } from '../arch/geometry.ts';
import { changeNamed } from '../port/kinds.ts';
import {
  type ChildPlace,
  isOldTable,
  type TableName,
  type TraceEvent,
  type TransitionTrace,
} from '../port/trace.ts';
import type { AutomatonFinding, AutomatonVerdict, FindingCode } from './automaton-verdict.ts';
import { judgeCleans } from './cache-clean.ts';
import { judgeEnd } from './end-of-transition.ts';
import { EntryState } from './entry-state.ts';
import { entryKey } from './tables/holes.ts';
import { gaveWay, Ownership } from './lock-rule.ts';
import { NewTables } from './tables/new-tables.ts';
import { missingStep } from './missing-step.ts';
import { withOwnNames } from './tables/page-names.ts';
import { leafWanted, type Place, targetPlace, translates } from './place.ts';
import { type Contents, contentsAfter, NO_CONTENTS, unorderedAt } from './publication.ts';
import { sameMapping } from './store-rule.ts';
import { TableLife } from './tables/table-life.ts';
import { TableMap } from './tables/table-map.ts';

type WriteEvent = Extract<TraceEvent, { readonly op: 'write' }>;

/**
 * Judges what one transition did, at the sanitised BBM level it was given. `truncated`: the trace
 * is only its first part, so nothing can be said about where it arrived or what it left unclean.
 * `hafdbs`: hardware sets the access flag, so that clearing it takes an entry from nobody.
 */
export function judgeTrace(
  trace: TransitionTrace,
  bbm: BbmLevel,
  truncated = false,
  hafdbs = false,
): AutomatonVerdict {
  const events = withOwnNames(trace.events);
  return new Automaton({ ...trace, events }, bbm, hafdbs).judge(truncated);
}

class Automaton {
  readonly #trace: TransitionTrace;
  readonly #bbm: BbmLevel;
  readonly #violations: AutomatonFinding[] = [];
  readonly #notes = new Set<string>();
  readonly #place: Place;
  readonly #target: EntryState;
  /** Child entries that were stored to while they could be reached, by table and index. */
  readonly #children = new Map<string, EntryState>();
  readonly #tables: TableMap;
  readonly #life: TableLife;
  readonly #ownership: Ownership;
  readonly #made: NewTables;
  readonly #endsEmpty: boolean;
  readonly #hafdbs: boolean;
  #contents: Contents = NO_CONTENTS;
  #lastTlbi: number | null = null;
  /** A compare-exchange of the target that failed, with no store since. */
  #failedAt: number | null = null;
  #lastStore: number | null = null;
  #storesOrdered = true;
  /** Another agent changed the entry: a vCPU under a shared lock, or the hardware walker. */
  #overtaken = false;
  /** Another agent had the entry LOCKED, and was done before anything was stored here. */
  #released = false;

  constructor(trace: TransitionTrace, bbm: BbmLevel, hafdbs: boolean) {
    this.#trace = trace;
    this.#bbm = bbm;
    this.#hafdbs = hafdbs;
    this.#place = targetPlace(trace, hafdbs);
    this.#target = new EntryState(this.#place);
    this.#tables = new TableMap(trace, typeOf(trace.old, trace.level) === 'table');
    this.#life = new TableLife(trace, this.#tables, this.#target);
    this.#ownership = new Ownership(trace);
    this.#made = new NewTables(trace, this.#tables);
    this.#endsEmpty = trace.change !== undefined && changeNamed(trace.change).to === 'empty';
  }

  judge(truncated: boolean): AutomatonVerdict {
    for (const [index, event] of this.#trace.events.entries()) this.#step(event, index);
    if (!truncated) this.#end();
    const states = [this.#target, ...this.#children.values()];
    return {
      violations: this.#violations,
      notes: [...this.#notes],
      windowed: states.some((state) => state.windowed),
      ntWindowed: this.#target.ntWindowed,
    };
  }

  #step(event: TraceEvent, index: number): void {
    switch (event.op) {
      case 'write':
        if (event.entry === 'target') this.#store(event, index);
        else if (event.place !== null) this.#storeChild(event, event.place, index);
        break;
      case 'read':
        if (event.entry === 'target') {
          this.#observe(event.value);
          if (event.expected !== undefined) this.#failedAt = index;
        } else if (event.table !== null) this.#use(event.table, 'read', index);
        break;
      case 'dsb':
        if (event.kind === 'ish' || event.kind === 'ishst') this.#storesOrdered = true;
        this.#advance(event, index);
        break;
      case 'tlbi':
        this.#advance(event, index);
        this.#lastTlbi = index;
        break;
      case 'free':
        this.#add(this.#life.free(event), index);
        break;
      case 'build':
      case 'allocate':
        this.#tables.make(event);
        break;
      case 'no-memory':
      case 'cmo':
      case 'dmb':
      case 'isb':
      case 'vttbr':
      case 'tge':
      case 'ipi':
      case 'get':
      case 'put':
        break;
      default:
        return assertNever(event);
    }
    this.#made.take(event, index);
    this.#contents = contentsAfter(this.#contents, event, index);
  }

  #advance(event: TraceEvent, index: number): void {
    this.#target.advance(event, index);
    for (const child of this.#children.values()) child.advance(event, index);
    this.#life.settle();
  }

  #violate(code: FindingCode, why: string, event: number | null): void {
    const rule = code.startsWith('freed') ? 'freed-table' : 'break-before-make';
    this.#violations.push({ rule, code, why, event });
  }

  #add(finding: { readonly code: FindingCode; readonly why: string } | null, index: number): void {
    if (finding !== null) this.#violate(finding.code, finding.why, index);
  }

  /** The first of its kind; a loop over 512 entries says the same 512 times. */
  #violateOnce(code: FindingCode, why: string, index: number): void {
    if (!this.#violations.some((v) => v.code === code)) this.#violate(code, why, index);
  }

  #observe(value: Descriptor): void {
    // The hardware walker sets access flag and dirty state at any time: that takes nothing from anybody.
    if (sameButState(value, this.#target.current)) return;
    this.#overtaken = true;
    if (this.#target.current === LOCKED && this.#lastStore === null) this.#released = true;
    this.#target.overtake(value);
    this.#ownership.lose('target');
    const isOld =
      typeOf(value, this.#trace.level) === 'table' && sameMapping(value, this.#trace.old);
    this.#life.lose(isOld ? 'old' : null);
  }

  #store(event: WriteEvent, index: number): void {
    const { level } = this.#trace;
    const before = this.#target.current;
    const unowned = this.#ownership.judge('target', event, before);
    if (unowned !== null) this.#violateOnce('unowned', unowned, index);
    const beside = this.#besideSize(event, this.#place);
    if (this.#isEmptied(this.#tables.target)) this.#target.emptied();
    const finding = this.#target.store(event.value, index, this.#bbm, beside);
    if (finding !== null && this.#failedAt !== null) {
      const failed = `the compare-exchange of event ${this.#failedAt + 1} failed and stored nothing`;
      this.#add({ ...finding, why: `${finding.why}; ${failed}` }, index);
    } else this.#add(finding, index);
    this.#failedAt = null;
    const linked = this.#tables.target;
    this.#life.relinkTarget(event.links);
    // The same link again shows nothing new: it comes after the one before it (coherence).
    const isAgain = event.links !== null && event.links === linked && isTable(before, level);
    if (!isAgain && translates(event.value, level)) {
      this.#publish(event, before, level, index);
    }
    this.#lastStore = index;
    this.#storesOrdered = false;
  }

  /** A child entry: of the old table, of one under construction, or of one that is linked. */
  #storeChild(event: WriteEvent, at: ChildPlace, index: number): void {
    const { table } = at;
    if (table === 'parent') {
      const why = `${event.entry} lies beside the target, in the page that holds it: not its to change`;
      this.#violateOnce('stored-elsewhere', why, index);
      return;
    }
    this.#use(table, 'written', index);
    const key = entryKey(table, at.index);
    const reached = this.#life.walkersIn(table);
    if (reached === 'linked') this.#storeLinked(event, at, key, index);
    else if (reached !== null) this.#storeFrozen(event, at, reached.state, index);
    const state = reached === 'linked' ? (this.#children.get(key) ?? null) : null;
    this.#life.relinkChild(at, event.links, state);
  }

  #storeLinked(event: WriteEvent, at: ChildPlace, key: string, index: number): void {
    const level = this.#tables.levelOf(at.table);
    const ipa = this.#tables.ipaOf(at.table);
    if (level === null || ipa === null) return;
    const child = this.#children.get(key) ?? this.#newChild(at, level, ipa);
    this.#children.set(key, child);
    const where = `entry ${at.index} of ${tableText(at.table)}, which is linked`;
    const unowned = this.#ownership.judge(key, event, child.current);
    if (unowned !== null) this.#violateOnce('unowned', `${where}: ${unowned}`, index);
    const before = child.current;
    const beside = this.#besideSize(event, child.place);
    if (this.#isEmptied(this.#tables.linkOf(at.table, at.index))) child.emptied();
    const finding = child.store(event.value, index, this.#bbm, beside);
    if (finding !== null) this.#violateOnce(finding.code, `${where}: ${finding.why}`, index);
    const isAgain = event.links !== null && event.links === this.#tables.linkOf(at.table, at.index);
    if (!isAgain || !isTable(before, level)) this.#publish(event, before, level, index);
  }

  /**
   * Was every entry of the table made invalid, and is what they held gone from all TLBs? Where nothing
   * is mapped in the end each of them may be flushed later: nothing takes its place that it could be at
   * odds with, and the table itself is in walk caches once, for whichever address (KVM v6.6 on flushes
   * the leaves of an unmapped range last).
   */
  #isEmptied(table: TableName | null): boolean {
    if (table === null || this.#children.size === 0) return false;
    const { entriesPerTable } = this.#place.geometry;
    for (let index = 0; index < entriesPerTable; index++) {
      const key = entryKey(table, index);
      const child = this.#children.get(key);
      if (child === undefined && this.#place.holes.has(key)) continue;
      if (child === undefined || isValid(child.current)) return false;
      if (child.must !== null && !this.#endsEmpty) return false;
    }
    return true;
  }

  /** What the table that the store links changes beside the size of the block it is to replace. */
  #besideSize(
    { links }: WriteEvent,
    { level, ipa }: Place,
  ): (block: Descriptor) => readonly string[] {
    return (block) =>
      links === null ? [] : this.#made.changedBesideSize(links, block, level, ipa);
  }

  #newChild(at: ChildPlace, level: Place['level'], ipa: number): EntryState {
    const { geometry } = this.#place;
    const size = entrySize(geometry, level);
    const from = ipa + at.index * size;
    const maps = leafWanted(this.#trace, level, from);
    const place = { ...this.#place, level, size, old: at.before, ipa: from, maps };
    return new EntryState(place, this.#lastTlbi);
  }

  /** Casemate: "Wrote on a page with an unclean parent". */
  #storeFrozen(event: WriteEvent, at: ChildPlace, holder: EntryState, index: number): void {
    const level = this.#tables.levelOf(at.table) ?? 3;
    // What is made invalid there leads nobody astray, and is as gone as the entry above it.
    const changes = translates(event.value, level) && !sameMapping(at.before, event.value);
    if (!changes) return;
    const why = `an entry of ${tableText(at.table)} was written while walkers may still use the table`;
    this.#violateOnce('child-of-unclean', `${why}: ${holder.missing()}`, index);
  }

  #use(table: TableName, how: 'read' | 'written', index: number): void {
    if (!this.#life.isReusable(table)) return;
    const why = `an entry of ${tableText(table)} was ${how} after the page was freed`;
    this.#violateOnce('freed-used', why, index);
  }

  #publish(event: WriteEvent, before: Descriptor, level: Place['level'], index: number): void {
    if (event.order !== 'plain') return;
    if (typeOf(event.value, level) !== 'table') {
      // A block over the same block (nT set or cleared) shows nothing new.
      if (this.#contents.memoryOrdered || typeOf(before, level) === 'block') return;
      if (typeOf(event.value, level) !== 'block') return;
      this.#notes.add(
        'block stored with a plain store, and no barrier orders the memory it shows before it',
      );
      return;
    }
    const fill = event.links === null ? null : unorderedAt(this.#contents, event.links);
    if (fill === null) return;
    const { localDsb } = this.#contents;
    const between =
      localDsb === null
        ? 'with neither store-release nor DSB in between'
        : `and the DSB ${localDsb.kind.toUpperCase()} in between (event ${localDsb.event + 1}) acts ` +
          'for the issuing PE only';
    const why =
      `table published before its contents are ordered: filled until event ${fill + 1}, then linked ` +
      `by a plain store, ${between}`;
    this.#violateOnce('published-unordered', why, index);
  }

  #end(): void {
    if (this.#lastStore === null && this.#overtaken) {
      this.#notes.add('gave way: another agent had changed the entry, which was left as found');
      return;
    }
    const clean = judgeCleans(this.#trace);
    if (clean !== null) this.#violate(clean.code, clean.why, clean.event);
    const end = judgeEnd(this.#trace, this.#target.current, {
      stored: this.#lastStore !== null,
      released: this.#released,
    });
    const isGivenUp = end?.code === 'ends-elsewhere' && this.#hafdbs && gaveWay(this.#trace);
    if (end !== null && !isGivenUp) this.#violate(end.code, end.why, this.#lastStore);
    const contents = this.#made.judge();
    if (contents !== null) this.#violate('ends-elsewhere', contents.why, contents.event);
    this.#endUnclean();
    if (this.#trace.change === 'restrict') this.#endRestricted();
    else if (this.#trace.change !== 'relax') this.#noteShould(this.#target);
    if (!this.#storesOrdered) {
      this.#notes.add(
        'no DSB after the last store to the entry (R_FFWJK, B2.3): until it becomes visible a walk may ' +
          "see what stood before and fault once more, also one for an access of the issuer's own PE " +
          'or of a vCPU that is told by other means (KVM ends with DSB ISHST)',
      );
    }
  }

  #endUnclean(): void {
    const { level } = this.#trace;
    const target = this.#target;
    if (target.must !== null && target.unclean(target.current) !== 'same') {
      if (!target.isUntold) return;
      const olds = [...new Set(target.must.olds.map((old) => typeOf(old, level)))].join(' and ');
      const why = `left unclean, translations of the old ${olds} may survive: ${target.missing()}`;
      this.#violate('left-unclean', why, target.must.storedAt);
      return;
    }
    for (const [key, child] of this.#children) {
      const { must } = child;
      if (must === null || !child.isUntold) continue;
      if (child.unclean(child.current) === 'same') continue;
      const [table = '', index = ''] = key.split('#');
      const why =
        `left unclean, translations of what entry ${index} of ${tableText(table as TableName)} ` +
        `held may survive: ${child.missing()}`;
      this.#violateOnce('left-unclean', why, must.storedAt);
    }
  }

  /** Whoever withdraws a permission is to rely on it: here the TLBI is no mere advice. */
  #endRestricted(): void {
    const { should, place } = this.#target;
    if (should === null) return;
    const why =
      'left unclean, the permission that was withdrawn may still be in TLBs (R_GPPYH): ' +
      missingStep(place, should);
    this.#violate('left-unclean', why, should.storedAt);
  }

  #noteShould({ should, shouldWhy, place }: EntryState): void {
    if (should === null) return;
    const missing =
      shouldWhy === 'nT cleared'
        ? 'second TLBI after clearing nT missing; what lingers is slow, not wrong'
        : shouldWhy === 'permissions'
          ? 'permissions changed, but the TLBI that makes it visible is missing'
          : 'second TLBI after replacing the nT block missing; a level-1 PE does not cache it';
    this.#notes.add(`${missing} (R_GPPYH): ${missingStep(place, should)}`);
  }
}

/** As sentences name a page. */
function tableText(table: TableName): string {
  return isOldTable(table) ? 'the old table' : `the new ${table}`;
}
