/**
 * One run of a script against a log of answers.
 *
 * A protocol is a deterministic function of the values it has read. So it can be run again and
 * again: reads are answered from the log, and the first one past its end stops the run. What the
 * run did up to there is recorded twice, as operations for the model and as events for the checker.
 */
import { assert, assertNever } from '../../../arch/assert.ts';
import type { TableOwner } from '../../../arch/context.ts';
import type { Descriptor } from '../../../arch/descriptor.ts';
import type { DmbKind, DsbKind, Table, TlbiOp, TraceEvent } from '../../../port/index.ts';
import { BoundReached } from '../machine/bounds.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import type { BookEntry, BookFinding } from './page-book.ts';
import { TableMemory } from './table-memory.ts';
import { runBegins } from './time-limit.ts';

export type Operation =
  /** `awaited`: the thread goes on once it finds that there. */
  | { readonly kind: 'read'; readonly location: number; readonly awaited?: Descriptor }
  | {
      readonly kind: 'write';
      readonly location: number;
      readonly value: Descriptor;
      readonly release: boolean;
    }
  | {
      readonly kind: 'cas';
      readonly location: number;
      readonly expected: Descriptor;
      readonly desired: Descriptor;
    }
  | { readonly kind: 'dsb'; readonly dsb: DsbKind }
  | { readonly kind: 'dmb'; readonly dmb: DmbKind }
  | { readonly kind: 'isb' }
  | { readonly kind: 'ipi' }
  | { readonly kind: 'vttbr'; readonly vmid: number; readonly table: TableOwner }
  | { readonly kind: 'tge'; readonly on: boolean }
  /** The CPU does one of several things, on account of nothing; answered as a read is. */
  | { readonly kind: 'choose'; readonly among: number }
  | { readonly kind: 'tlbi'; readonly tlbi: TlbiOp };

/** Where a choice is asked for: no location. */
const CHOICE = -1;

/** Have they the same effect? Asked for each operation of each run, so nothing is made for it. */
export function isSameOperation(a: Operation, b: Operation): boolean {
  switch (a.kind) {
    case 'read':
      return b.kind === 'read' && a.location === b.location && a.awaited === b.awaited;
    case 'write':
      return (
        b.kind === 'write' &&
        a.location === b.location &&
        a.value === b.value &&
        a.release === b.release
      );
    case 'cas':
      return (
        b.kind === 'cas' &&
        a.location === b.location &&
        a.expected === b.expected &&
        a.desired === b.desired
      );
    case 'dsb':
      return b.kind === 'dsb' && a.dsb === b.dsb;
    case 'dmb':
      return b.kind === 'dmb' && a.dmb === b.dmb;
    case 'isb':
    case 'ipi':
      return b.kind === a.kind;
    case 'vttbr':
      return b.kind === 'vttbr' && a.vmid === b.vmid && a.table === b.table;
    case 'tge':
      return b.kind === 'tge' && a.on === b.on;
    case 'choose':
      return b.kind === 'choose' && a.among === b.among;
    case 'tlbi':
      return b.kind === 'tlbi' && JSON.stringify(a.tlbi) === JSON.stringify(b.tlbi);
    default:
      return assertNever(a);
  }
}

/** Index of the first event of the trace, and of the first operation, that is about a region. */
export interface PartStart {
  readonly trace: number;
  readonly operations: number;
}

/** Thrown at the first read past the log. Nobody outside this file sees it. */
class PastLog extends Error {
  override readonly name = 'PastLog';
}

/** Nobody asks where it was thrown, and to note that takes longer than most runs. */
const PAST_LOG = new PastLog();

/** What the `nth` read, of `location`, is answered; undefined: nothing as yet. */
export type Answers = (
  location: number,
  nth: number,
  recording: Recording,
) => Descriptor | undefined;

/** So many operations that only read one entry, so many times, are a loop that waits for it. */
const WAITING_OPERATIONS = 48;
const WAITING_READS = 12;

export type Script = (recording: Recording) => void;

export class Recording {
  readonly operations: Operation[] = [];
  readonly trace: TraceEvent[] = [];
  /** What the books of the table pages had to say at the script's end. */
  readonly findings: BookFinding[] = [];
  /** And what was entered in them. */
  readonly ledger: BookEntry[] = [];
  /** What this thread knows memory to hold: its own stores, and what it has read. Empty of large tables. */
  readonly memory: Descriptor[];
  readonly #large: TableMemory | null;
  /** Answers used so far. */
  answered = 0;
  /** The last operation is a read without an answer. */
  pending = false;
  /** The script has looked at the CPU's BBM level: on another one it may do something else. */
  looksAtBbm = false;
  /** Where each region's begins, where they were told. */
  readonly parts: PartStart[] = [];
  /** What ended it before its time; null: nothing. */
  thrown: Error | null = null;
  /** By event of the trace: the location it is about, for names. */
  readonly locations: (number | null)[] = [];
  /** By event of the trace: the last operation up to it, which is its own where it is one. */
  readonly behind: number[] = [];
  readonly #answerOf: Answers;
  readonly #operationsMax: number;

  /**
   * `initial`: by location; or large tables, where stores that fill one are no operations: as tables are
   * counted, no bound is needed. `log`: what reads are answered, in their order; or a function that answers
   * each.
   */
  constructor(
    initial: readonly Descriptor[] | TableMemory,
    log: readonly Descriptor[] | Answers,
    operationsMax: number,
    script: Script,
  ) {
    this.#large = initial instanceof TableMemory ? initial : null;
    this.memory = initial instanceof TableMemory ? [] : [...initial];
    this.#answerOf =
      typeof log !== 'function'
        ? (_, nth) => log[nth]
        : // Who answers each read has no say in what a CPU does: it takes the first.
          (location, ...more) => (location === CHOICE ? 0n : log(location, ...more));
    this.#operationsMax = operationsMax;
    runBegins();
    try {
      script(this);
    } catch (error) {
      // Once stopped, whatever the script makes of the signal is not the protocol's doing.
      if (!this.pending || error instanceof BoundReached) throw error;
    }
    const asked = typeof log === 'function' ? this.answered : log.length;
    assert(this.pending || this.answered === asked, 'a script asks what it asked before');
  }

  peek(location: number): Descriptor {
    if (this.#large !== null) return this.#large.peek(location);
    const value = this.memory[location];
    assert(value !== undefined, `no location ${location}`);
    return value;
  }

  /** Valid entries of a table, as far as this thread knows. */
  validIn(table: Table, map: MemoryMap): number {
    return this.#large?.validIn(table) ?? map.validIn(table, (location) => this.peek(location));
  }

  read(location: number): Descriptor {
    this.#add({ kind: 'read', location });
    return this.#answer(location);
  }

  /** Goes on once `location` holds `value`; executions in which it never does are none. */
  waitFor(location: number, value: Descriptor): void {
    this.#add({ kind: 'read', location, awaited: value });
    this.#answer(location);
  }

  write(location: number, value: Descriptor, release: boolean): void {
    this.#add({ kind: 'write', location, value, release });
    this.#know(location, value);
  }

  /**
   * Plain stores to entries of a table that nobody else has yet, or has any more, from `first` on. The list
   * is not changed afterwards.
   */
  writeAll(first: number, values: readonly Descriptor[]): void {
    if (this.#large !== null) return this.#large.storeAll(first, values);
    for (let i = 0; i < values.length; i++) {
      this.write(first + i, values[i] as Descriptor, false);
    }
  }

  compareExchange(location: number, expected: Descriptor, desired: Descriptor): Descriptor {
    this.#add({ kind: 'cas', location, expected, desired });
    const found = this.#answer(location);
    if (found === expected) this.#know(location, desired);
    return found;
  }

  dsb(kind: DsbKind): void {
    this.#add({ kind: 'dsb', dsb: kind });
  }

  dmb(kind: DmbKind): void {
    this.#add({ kind: 'dmb', dmb: kind });
  }

  isb(): void {
    this.#add({ kind: 'isb' });
  }

  vttbr(vmid: number, table: TableOwner): void {
    this.#add({ kind: 'vttbr', vmid, table });
  }

  tge(on: boolean): void {
    this.#add({ kind: 'tge', on });
  }

  /** Which of `among` things the CPU does, from 0. */
  choose(among: number): number {
    this.#add({ kind: 'choose', among });
    return Number(this.#answer(CHOICE));
  }

  ipi(): void {
    this.#add({ kind: 'ipi' });
  }

  tlbi(op: TlbiOp): void {
    this.#add({ kind: 'tlbi', tlbi: op });
  }

  /** From here on it is about the next region. */
  beginPart(): void {
    this.parts.push({ trace: this.trace.length, operations: this.operations.length });
  }

  /** An event for the checker that is no step of the model. `location`: what it is about. */
  note(event: TraceEvent, location: number | null = null): void {
    if (this.pending) return;
    this.trace.push(event);
    this.locations.push(location);
    this.behind.push(this.operations.length - 1);
  }

  #add(operation: Operation): void {
    // A script that goes on after the signal, in a `finally` say, is not heard.
    if (this.pending) throw PAST_LOG;
    if (this.operations.length >= this.#operationsMax) {
      throw new BoundReached('operations', this.#operationsMax, this.#waitsFor());
    }
    this.operations.push(operation);
  }

  /** The location that a loop reads again and again, though nothing changes; null: there is none. */
  #waitsFor(): number | null {
    const last = this.operations.slice(-WAITING_OPERATIONS);
    const places = last.flatMap((operation) =>
      operation.kind === 'read' || operation.kind === 'cas' ? [operation.location] : [],
    );
    const [place] = places;
    const isIdle = last.every(({ kind }) => kind !== 'write' && kind !== 'tlbi');
    if (place === undefined || !isIdle || places.length < WAITING_READS) return null;
    return places.every((other) => other === place) ? place : null;
  }

  #answer(location: number): Descriptor {
    const answer = this.#answerOf(location, this.answered, this);
    if (answer === undefined) {
      this.pending = true;
      throw PAST_LOG;
    }
    this.answered++;
    if (location !== CHOICE) this.#know(location, answer);
    return answer;
  }

  #know(location: number, value: Descriptor): void {
    if (this.#large === null) this.memory[location] = value;
    else this.#large.store(location, value);
  }
}
