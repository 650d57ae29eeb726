/** Numbers for things, in the order in which they are met: the model knows numbers only. */
export class Numbering<T> {
  readonly all: T[] = [];
  readonly #known = new Map<string, number>();

  of(item: T, key: string): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.all.length);
    return this.all.push(item) - 1;
  }
}
