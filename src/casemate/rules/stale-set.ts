/**
 * What may still be cached of entries that were changed, and the barriers and TLBIs since.
 *
 * A stale entry is a duty of a tree, a level and the input addresses it maps: TLBs know nothing of
 * where its descriptor lay. It is found by whoever stores to an entry of the same addresses, in
 * whatever page of the tree, and stays behind when the page goes to another place or tree.
 *
 * A log has many more barriers than stale entries that anybody looks at again, so barriers and
 * TLBIs are only written down, and an entry is brought up to date when its state is asked for.
 * What is written down is kept short: a DSB after which nothing became stale and no TLBI came adds
 * nothing, and a long list is worked off for all entries at once.
 */
import { reaches } from '../../arch/tlbi.ts';
import type { EntryPlace, TablePage, Tree } from '../tables/tree.ts';
import type { Agent, Automaton, FlushEvent } from './automaton.ts';

interface Flush extends Reach {
  readonly event: FlushEvent;
  readonly agent: Agent;
  /** Of the log, from 0. */
  readonly index: number;
  readonly source: string | null;
}

/** One line of an entry's history. */
export interface Step {
  readonly line: number;
  readonly thread: number;
  readonly text: string;
  readonly source: string | null;
}

/** Addresses and level of a tree of which something stale may be cached. */
export interface Stale {
  /** Where its entry lies now, or lay last. */
  address: number;
  place: EntryPlace;
  readonly automaton: Automaton;
  /** Who made it stale. */
  agent: Agent;
  /** Table pages that it pointed to and that walkers may still be in. */
  readonly tables: Set<TablePage>;
  /** Up to which flush it has been advanced, and by how many since it became stale. */
  cursor: number;
  steps: number;
  /** Its first finding: what is found while it stays stale for the same reason belongs to it. */
  told: unknown;
  /** As if it had been clean after that finding. */
  forgiven: Automaton | null;
  readonly history: Step[];
}

/** The flushes of a change itself: they are told of even if they do not reach the entry. */
const OWN_STEPS = 16;
/** Flushes written down before all entries are brought up to date. */
const LIST_MAX = 1024;
export const HISTORY_MAX = 24;

/** Those of one tree. */
interface OfTree {
  /** By first address and level. */
  readonly entries: Map<number, Stale>;
  /** By first address and level of the table they are in, whichever page that is. */
  readonly tables: Map<number, Set<Stale>>;
}

export class StaleSet {
  readonly #trees = new Map<Tree, OfTree>();
  readonly #cleaned: (stale: Stale) => void;
  #size = 0;
  #flushes: Flush[] = [];
  /** Length of the list when something last became stale. */
  #staleAt = 0;

  /** `cleaned` is called for each entry of which nothing stale is left. */
  constructor(cleaned: (stale: Stale) => void) {
    this.#cleaned = cleaned;
  }

  get size(): number {
    return this.#size;
  }

  /** Of one tree, as they stood when they were last asked for. */
  of(tree: Tree): Stale[] {
    return [...(this.#trees.get(tree)?.entries.values() ?? [])];
  }

  add(stale: Omit<Stale, 'cursor' | 'steps'>): Stale {
    const entry = { ...stale, cursor: this.#flushes.length, steps: 0 };
    const { page, ipa, level } = stale.place;
    let tree = this.#trees.get(page.tree);
    if (tree === undefined) {
      tree = { entries: new Map<number, Stale>(), tables: new Map<number, Set<Stale>>() };
      this.#trees.set(page.tree, tree);
    }
    tree.entries.set(keyOf(ipa, level), entry);
    const table = tree.tables.get(keyOf(page.ipa, level));
    if (table === undefined) tree.tables.set(keyOf(page.ipa, level), new Set([entry]));
    else table.add(entry);
    this.#size += 1;
    this.#staleAt = this.#flushes.length;
    return entry;
  }

  delete(stale: Stale): void {
    const { page, ipa, level } = stale.place;
    const tree = this.#trees.get(page.tree);
    if (tree?.entries.get(keyOf(ipa, level)) !== stale) return;
    this.#size -= 1;
    tree.entries.delete(keyOf(ipa, level));
    const table = tree.tables.get(keyOf(page.ipa, level));
    table?.delete(stale);
    if (table?.size === 0) tree.tables.delete(keyOf(page.ipa, level));
    if (tree.entries.size === 0) this.#trees.delete(page.tree);
  }

  /** All of a tree that is no more. */
  drop(tree: Tree): void {
    this.#size -= this.#trees.get(tree)?.entries.size ?? 0;
    this.#trees.delete(tree);
  }

  /** Something became stale again: the barriers before it do not count for that. */
  renewed(stale: Stale): void {
    stale.steps = 0;
    this.#staleAt = this.#flushes.length;
  }

  /** What is stale of an entry, brought up to date; undefined if nothing is left of it. */
  get({ page, ipa, level }: EntryPlace): Stale | undefined {
    return this.#upToDate(this.#trees.get(page.tree)?.entries.get(keyOf(ipa, level)));
  }

  /** The same of the entry that links a table page, or did. */
  above({ tree, ipa, level, parent }: TablePage): Stale | undefined {
    if (parent === null) return undefined;
    return this.#upToDate(this.#trees.get(tree)?.entries.get(keyOf(ipa, level - 1)));
  }

  /** The same of all that an entry covers at deeper levels. */
  below({ page, ipa, size, level }: EntryPlace): Stale[] {
    const tables = level === 3 ? undefined : this.#trees.get(page.tree)?.tables;
    if (tables === undefined) return [];
    const found = [...(tables.get(keyOf(ipa, level + 1)) ?? [])];
    if (level + 1 < 3) {
      for (const [key, table] of tables)
        if (levelOf(key) > level + 1 && key >= ipa && key < ipa + size) found.push(...table);
    }
    return found.filter((stale) => this.#upToDate(stale) !== undefined);
  }

  #upToDate(stale: Stale | undefined): Stale | undefined {
    return stale === undefined || this.#catchUp(stale) ? undefined : stale;
  }

  /** All of them up to date. */
  settle(): void {
    const reached = reachedBy(this.#flushes);
    for (const { entries } of this.#trees.values())
      for (const stale of entries.values())
        if (!isPatient(stale) || reached(stale.place)) this.#catchUp(stale);
    for (const { entries } of this.#trees.values())
      for (const stale of entries.values()) stale.cursor = 0;
    this.#flushes = [];
    this.#staleAt = 0;
  }

  flush(flush: Omit<Flush, keyof Reach>): void {
    if (this.#size === 0) {
      this.#flushes = [];
      this.#staleAt = 0;
      return;
    }
    if (flush.event.op === 'dsb' && this.#isRepeated(flush)) return;
    this.#flushes.push({ ...flush, ...reachOf(flush.event) });
    if (this.#flushes.length > LIST_MAX) this.settle();
  }

  /** The same barrier of the same thread came last, and nothing that it could help since. */
  #isRepeated({ event, agent }: Omit<Flush, keyof Reach>): boolean {
    const last = this.#flushes.at(-1);
    if (last === undefined || this.#staleAt >= this.#flushes.length) return false;
    return (
      last.event.op === 'dsb' &&
      event.op === 'dsb' &&
      (last.event.kind === event.kind || last.event.kind === 'ish') &&
      last.agent.thread === agent.thread &&
      last.agent.task === agent.task
    );
  }

  /** True if nothing stale is left. */
  #catchUp(stale: Stale): boolean {
    while (stale.cursor < this.#flushes.length && !stale.automaton.isClean) {
      const flush = this.#flushes[stale.cursor];
      stale.cursor += 1;
      if (flush === undefined) break;
      if (isPatient(stale) && !overlaps(flush, stale.place)) continue;
      stale.steps += 1;
      const { event, agent, index } = flush;
      const own = isSame(stale.agent, agent);
      stale.automaton.advance(event, index, agent, own);
      stale.forgiven?.advance(event, index, agent, own);
      if (own && stale.history.length < HISTORY_MAX) stale.history.push(stepOf(flush));
    }
    if (!stale.automaton.isClean) return false;
    this.delete(stale);
    this.#cleaned(stale);
    return true;
  }
}

/** First addresses are those of pages at least, which leaves room for the level. */
function keyOf(ipa: number, level: number): number {
  return ipa + level;
}

function levelOf(key: number): number {
  return key % 8;
}

/** Input addresses, half-open, whose stage-2 entries (or those of EL2) a flush may remove. */
interface Reach {
  readonly lo: number;
  readonly hi: number;
}

function reachOf(event: FlushEvent): Reach {
  if (event.op === 'tlbi' && event.ofEl2 === true) return { lo: 0, hi: Number.POSITIVE_INFINITY };
  const op = event.op === 'tlbi' ? event.tlbi : event.op === 'el2' ? event.tlbi.reach : undefined;
  if (op === undefined) return { lo: 0, hi: 0 };
  if (op === null || op.ipa === undefined) {
    const none = op !== null && !reaches(op.kind, 'stage2');
    return { lo: 0, hi: none ? 0 : Number.POSITIVE_INFINITY };
  }
  // A by-address operation takes the whole entry that its address lies in.
  return { lo: op.ipa, hi: op.ipa + Math.max(1, op.size ?? 1) };
}

function overlaps({ lo, hi }: Reach, { ipa, size }: EntryPlace): boolean {
  return lo < ipa + size && ipa < hi;
}

/** It waits for a flush that reaches it, and those of its own change are over. */
function isPatient({ automaton, forgiven, steps }: Stale): boolean {
  if (steps < OWN_STEPS || !automaton.isWaiting) return false;
  return forgiven === null || forgiven.isClean || forgiven.isWaiting;
}

/** Does any of the flushes reach a place? Asked of very many places. */
function reachedBy(flushes: readonly Flush[]): (place: EntryPlace) => boolean {
  const sorted = flushes.filter(({ lo, hi }) => lo < hi).sort((a, b) => a.lo - b.lo);
  // The furthest end of any that begins no later.
  const ends: number[] = [];
  for (const { hi } of sorted) ends.push(Math.max(hi, ends.at(-1) ?? 0));
  return ({ ipa, size }) => {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((sorted[middle]?.lo ?? 0) < ipa + size) from = middle + 1;
      else to = middle;
    }
    return from > 0 && (ends[from - 1] ?? 0) > ipa;
  };
}

/** On one CPU, or of one task that moved: either way in program order. */
function isSame(a: Agent, b: Agent): boolean {
  return a.thread === b.thread || (a.task !== null && a.task === b.task);
}

function stepOf({ event, agent, index, source }: Flush): Step {
  return { line: index + 1, thread: agent.thread, text: flushText(event), source };
}

function flushText(event: FlushEvent): string {
  switch (event.op) {
    case 'dsb':
      return `DSB ${event.kind.toUpperCase()}`;
    case 'el2':
      return `TLBI ${event.tlbi.name.toUpperCase()}`;
    case 'tlbi': {
      const { kind, ipa, size, ttl, vmid } = event.tlbi;
      const parts = [
        `TLBI ${kind.toUpperCase()}`,
        ipa === undefined ? '' : `0x${ipa.toString(16)}`,
        size === undefined ? '' : `+0x${size.toString(16)}`,
        ttl ? `ttl=${ttl}` : '',
        vmid === undefined ? '' : `vmid=${vmid}`,
      ];
      return parts.filter((part) => part !== '').join(' ');
    }
    default:
      return event satisfies never;
  }
}
