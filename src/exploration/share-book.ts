/** Shares of searches, kept until all of a search are there. */
import type { SearchDone, ShareDone } from './search-task.ts';

export class ShareBook {
  readonly #shares = new Map<number, ShareDone[]>();
  readonly #conclude: (number: number, shares: readonly ShareDone[]) => SearchDone;

  constructor(conclude: (number: number, shares: readonly ShareDone[]) => SearchDone) {
    this.#conclude = conclude;
  }

  /** What search `number` comes to; null: other shares of it are yet to come. */
  add(number: number, done: SearchDone | ShareDone): SearchDone | null {
    if (done.is !== 'share') return done;
    const shares = [...(this.#shares.get(number) ?? []), done];
    this.#shares.set(number, shares);
    const parties = shares.find((share) => share.parties !== null)?.parties ?? null;
    if (parties === null || shares.length < parties) return null;
    this.#shares.delete(number);
    return this.#conclude(number, shares);
  }
}
