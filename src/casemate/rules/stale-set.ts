/**
 * The entries of which something stale may be cached, and the barriers and TLBIs since.
 *
 * A log has many more barriers than stale entries that anybody looks at again, so barriers and
 * TLBIs are only written down, and an entry is brought up to date when its state is asked for.
 * What is written down is kept short: a DSB after which nothing became stale and no TLBI came adds
 * nothing, and a long list is worked off for all entries at once.
 */
import type { EntryPlace } from '../tables/tree.ts';
import type { Automaton, FlushEvent } from './automaton.ts';

export interface Agent {
  readonly thread: number;
  /** Null: the log does not tell tasks. */
  readonly task: string | null;
}

interface Flush {
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

/** An entry of which something stale may be cached. */
export interface Stale {
  readonly address: number;
  readonly place: EntryPlace;
  readonly automaton: Automaton;
  /** Who made it stale. */
  agent: Agent;
  /** Table pages that it pointed to and that walkers may still be in. */
  readonly tables: Set<number>;
  /** Up to which flush it has been advanced. */
  cursor: number;
  /** Its first finding: what is found while it stays stale for the same reason belongs to it. */
  told: unknown;
  /** As if it had been clean after that finding. */
  forgiven: Automaton | null;
  readonly history: Step[];
}

/** Flushes written down before all entries are brought up to date. */
const LIST_MAX = 4096;
export const HISTORY_MAX = 24;

export class StaleSet {
  readonly #entries = new Map<number, Stale>();
  readonly #cleaned: (stale: Stale) => void;
  #flushes: Flush[] = [];
  /** Length of the list when something last became stale. */
  #staleAt = 0;

  /** `cleaned` is called for each entry of which nothing stale is left. */
  constructor(cleaned: (stale: Stale) => void) {
    this.#cleaned = cleaned;
  }

  get size(): number {
    return this.#entries.size;
  }

  values(): Stale[] {
    return [...this.#entries.values()];
  }

  add(stale: Omit<Stale, 'cursor'>): Stale {
    const entry = { ...stale, cursor: this.#flushes.length };
    this.#entries.set(stale.address, entry);
    this.#staleAt = this.#flushes.length;
    return entry;
  }

  delete(address: number): void {
    this.#entries.delete(address);
  }

  /** Something became stale again: the barriers before it do not count for that. */
  renewed(): void {
    this.#staleAt = this.#flushes.length;
  }

  /** The entry, brought up to date; undefined if nothing stale is left of it. */
  get(address: number): Stale | undefined {
    const stale = this.#entries.get(address);
    return stale === undefined || this.#catchUp(stale) ? undefined : stale;
  }

  /** All of them up to date. */
  settle(): void {
    for (const stale of this.#entries.values()) this.#catchUp(stale);
    for (const stale of this.#entries.values()) stale.cursor = 0;
    this.#flushes = [];
    this.#staleAt = 0;
  }

  flush(flush: Flush): void {
    if (this.#entries.size === 0) {
      this.#flushes = [];
      this.#staleAt = 0;
      return;
    }
    if (flush.event.op === 'dsb' && this.#isRepeated(flush)) return;
    this.#flushes.push(flush);
    if (this.#flushes.length > LIST_MAX) this.settle();
  }

  /** The same barrier of the same thread came last, and nothing that it could help since. */
  #isRepeated({ event, agent }: Flush): boolean {
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
      const { event, agent, index } = flush;
      const own = isSame(stale.agent, agent);
      stale.automaton.advance(event, index, own);
      stale.forgiven?.advance(event, index, own);
      if (own && stale.history.length < HISTORY_MAX) stale.history.push(stepOf(flush));
    }
    if (!stale.automaton.isClean) return false;
    this.#entries.delete(stale.address);
    this.#cleaned(stale);
    return true;
  }
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
