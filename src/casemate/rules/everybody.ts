/**
 * What the barriers and TLBIs of all threads have done for an entry: whether it would be clean if
 * whoever flushed it had seen the store that made it stale.
 *
 * A DSB completes the TLBIs of its own PE only (R_YNJCP), and those of its task, which may have moved.
 */
import type { Agent, FlushEvent } from './automaton.ts';

/** Of an obligation: what is done of it, or that nothing is left. */
type Step<O> = (o: O, event: FlushEvent, index: number) => O | null;

export class Everybody<O extends { readonly progress: string }> {
  readonly #step: Step<O>;
  #now: O | null = null;
  /** Before the TLBI that only needs its DSB now, and who has issued such a one. */
  #before: O | null = null;
  readonly #issuers = new Set<number | string>();

  constructor(step: Step<O>) {
    this.#step = step;
  }

  get now(): O | null {
    return this.#now;
  }

  /** A new duty begins for everybody. */
  begin(o: O | null): void {
    this.#now = o;
    this.#issuers.clear();
  }

  advance(event: FlushEvent, index: number, by: Agent): void {
    const now = this.#now;
    if (now === null) return;
    if (event.op === 'dsb') {
      if (this.#issuers.size > 0 && !this.#hasIssued(by)) return;
      this.#now = this.#step(now, event, index);
      if (this.#now?.progress !== now.progress) this.#issuers.clear();
      return;
    }
    const next = this.#step(now, event, index);
    if (next === null) return;
    this.#now = next;
    if (next.progress !== now.progress) {
      this.#before = now;
      this.#issuers.clear();
      this.#issue(by);
      return;
    }
    if (this.#issuers.size === 0 || this.#before === null) return;
    // Another one that would do as well.
    if (this.#step(this.#before, event, index)?.progress === now.progress) this.#issue(by);
  }

  #issue({ thread, task }: Agent): void {
    this.#issuers.add(thread);
    if (task !== null) this.#issuers.add(task);
  }

  #hasIssued({ thread, task }: Agent): boolean {
    return this.#issuers.has(thread) || (task !== null && this.#issuers.has(task));
  }
}
