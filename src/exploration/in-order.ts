/** What ends in any order, handed on in the order of its numbers: who is early waits for its turn. */
export class InOrder<T> {
  readonly #take: (number: number, thing: T) => Promise<void>;
  readonly #waiting = new Map<number, T>();
  #next = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(take: (number: number, thing: T) => Promise<void>) {
    this.#take = take;
  }

  add(number: number, thing: T): void {
    this.#waiting.set(number, thing);
    this.#last = this.#last.then(() => this.#handOn());
    // Whoever waits for the end hears of it.
    this.#last.catch(() => undefined);
  }

  /** Hands on what waits for something that never comes, too. */
  async end(): Promise<void> {
    await this.#last;
    for (const [number, thing] of [...this.#waiting].toSorted(([a], [b]) => a - b)) {
      await this.#take(number, thing);
    }
    this.#waiting.clear();
  }

  async #handOn(): Promise<void> {
    for (let thing; (thing = this.#waiting.get(this.#next)) !== undefined;) {
      this.#waiting.delete(this.#next);
      await this.#take(this.#next++, thing);
    }
  }
}
