/**
 * One run of a script against a log of answers.
 *
 * A protocol is a deterministic function of the values it has read. So it can be run again and
 * again: reads are answered from the log, and the first one past its end stops the run. What the
 * run did up to there is recorded twice, as operations for the model and as events for the checker.
 */
import { assert } from '../../arch/assert.ts';
import type { Descriptor } from '../../arch/descriptor.ts';
import type { DmbKind, DsbKind, TlbiOp, TraceEvent } from '../../port/index.ts';
import { BoundReached } from './bounds.ts';
import type { BookFinding } from './page-book.ts';

export type Operation =
  | { readonly kind: 'read'; readonly location: number }
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
  | { readonly kind: 'tlbi'; readonly tlbi: TlbiOp };

/** Thrown at the first read past the log. Nobody outside this file sees it. */
class PastLog extends Error {
  override readonly name = 'PastLog';
}

export type Script = (recording: Recording) => void;

export class Recording {
  readonly operations: Operation[] = [];
  readonly trace: TraceEvent[] = [];
  /** What the books of the table pages had to say at the script's end. */
  readonly findings: BookFinding[] = [];
  /** What this thread knows memory to hold: its own stores, and what it has read. */
  readonly memory: Descriptor[];
  /** Answers used so far. */
  answered = 0;
  /** The last operation is a read without an answer. */
  pending = false;
  readonly #log: readonly Descriptor[];
  readonly #operationsMax: number;

  constructor(
    initial: readonly Descriptor[],
    log: readonly Descriptor[],
    operationsMax: number,
    script: Script,
  ) {
    this.memory = [...initial];
    this.#log = log;
    this.#operationsMax = operationsMax;
    try {
      script(this);
    } catch (error) {
      // Once stopped, whatever the script makes of the signal is not the protocol's doing.
      if (!this.pending || error instanceof BoundReached) throw error;
    }
    assert(this.pending || this.answered === log.length, 'a script asks what it asked before');
  }

  peek(location: number): Descriptor {
    const value = this.memory[location];
    assert(value !== undefined, `no location ${location}`);
    return value;
  }

  read(location: number): Descriptor {
    this.#add({ kind: 'read', location });
    return this.#answer(location);
  }

  write(location: number, value: Descriptor, release: boolean): void {
    this.#add({ kind: 'write', location, value, release });
    this.memory[location] = value;
  }

  compareExchange(location: number, expected: Descriptor, desired: Descriptor): Descriptor {
    this.#add({ kind: 'cas', location, expected, desired });
    const found = this.#answer(location);
    if (found === expected) this.memory[location] = desired;
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

  tlbi(op: TlbiOp): void {
    this.#add({ kind: 'tlbi', tlbi: op });
  }

  /** An event for the checker that is no step of the model. */
  note(event: TraceEvent): void {
    if (!this.pending) this.trace.push(event);
  }

  #add(operation: Operation): void {
    // A script that goes on after the signal, in a `finally` say, is not heard.
    if (this.pending) throw new PastLog();
    if (this.operations.length >= this.#operationsMax) {
      throw new BoundReached('operations', this.#operationsMax);
    }
    this.operations.push(operation);
  }

  #answer(location: number): Descriptor {
    const answer = this.#log[this.answered];
    if (answer === undefined) {
      this.pending = true;
      throw new PastLog();
    }
    this.answered++;
    this.memory[location] = answer;
    return answer;
  }
}
