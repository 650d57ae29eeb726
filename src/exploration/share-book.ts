/** Shares of searches, kept until all of a search are there. */
import { INTERRUPTED } from '../explore/protocol/index.ts';
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

  /** Search `number` is over, whatever is yet to come of it. */
  drop(number: number): void {
    this.#shares.delete(number);
  }

  /**
   * After an abort: what the searches come to of which a share was not waited for. What the others have
   * found counts; nothing of it was gone through to the end.
   */
  cut(): readonly (readonly [number: number, done: SearchDone])[] {
    const left = [...this.#shares];
    this.#shares.clear();
    return left.map(([number, shares]) => {
      const stop = { stoppedBy: INTERRUPTED, stoppedWhy: null };
      const cut = shares.map((share) => ({ ...share, found: { ...share.found, ...stop } }));
      return [number, this.#conclude(number, cut)] as const;
    });
  }
}
