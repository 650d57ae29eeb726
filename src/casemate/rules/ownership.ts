/**
 * Who may store to a table: the thread that holds the lock of its root, or the one that the log
 * made owner of the entry (casemate: set_root_lock, set_owner_root, set_pte_thread_owner).
 *
 * A tracer outside the kernel sees no locks, or not what they guard. So this is judged in logs whose
 * program tells of that, or of SCTLR_EL2 or MAIR_EL2 as an instrumented hypervisor does; in others it
 * is not, and the verdict says so.
 */
import type { LogEvent, LogRecord } from '../reading/record.ts';
import { hex, type TablePage } from '../tables/tree.ts';

export class Ownership {
  readonly #held = new Map<number, number>();
  readonly #rootLocks = new Map<number, number>();
  readonly #entryOwners = new Map<number, number>();
  #hinted = false;
  #locks = 0;
  #odd: string | null = null;

  /** The program tells who owns what. */
  get isTold(): boolean {
    return this.#hinted;
  }

  /** It tells of locks, whatever they guard. */
  get hasLocks(): boolean {
    return this.#locks > 0;
  }

  /** Locks that contradict themselves, in one clause. */
  get remark(): string | null {
    return this.#odd;
  }

  hasLock(root: number): boolean {
    return this.#rootLocks.has(root);
  }

  hint({ kind, location, value }: Extract<LogEvent, { op: 'hint' }>): void {
    if (kind === 'release_table') {
      this.#rootLocks.delete(location);
      return;
    }
    this.#hinted = true;
    if (kind === 'set_root_lock') this.#rootLocks.set(location, Number(value));
    if (kind === 'set_pte_thread_owner') this.#entryOwners.set(location, Number(value));
  }

  lock(
    { address, op }: Extract<LogEvent, { op: 'lock' | 'trylock' | 'unlock' }>,
    r: LogRecord,
  ): void {
    this.#locks += 1;
    const holder = this.#held.get(address);
    if (op === 'unlock') {
      if (holder !== r.thread) this.#contradict(address, r, 'is unlocked by a thread without it');
      this.#held.delete(address);
      return;
    }
    if (holder !== undefined)
      this.#contradict(address, r, `is taken while thread ${holder} has it`);
    this.#held.set(address, r.thread);
  }

  /** Why `thread` may not store to the entry at `address`; null if it may. */
  objection(address: number, { tree }: TablePage, thread: number): string | null {
    const owner = this.#entryOwners.get(address);
    if (owner === thread) return null;
    if (owner !== undefined)
      return `thread ${thread} stored to an entry that the log gave to thread ${owner}`;
    const lock = this.#rootLocks.get(tree.root);
    if (lock === undefined)
      return `the tree at ${hex(tree.root)} has no lock (no set_root_lock), so nobody may store to it`;
    const holder = this.#held.get(lock);
    if (holder === thread) return null;
    const who = holder === undefined ? 'nobody holds it' : `thread ${holder} holds it`;
    return `stored without the lock of its tree, ${hex(lock)}: ${who}`;
  }

  #contradict(address: number, { line, thread }: LogRecord, what: string): void {
    this.#odd ??= `line ${line}: the lock at ${hex(address)} ${what} (thread ${thread})`;
  }
}
