/**
 * vCPUs a TLBI can make a difference to: those that access an address it matches whose entry is
 * ever written. For all others its delivery is unordered, so it is left out of the global order.
 */
import type { Domains } from './domains.ts';
import type { Names } from './translation.ts';

export class Receivers {
  readonly #accessed: readonly ReadonlySet<string>[];
  readonly #names: Names;
  readonly #domains: Domains;
  readonly #extra: readonly number[];

  /** `extra` receive every TLBI. `accessed`: by thread, the symbols whose addresses it uses on some path. */
  constructor(
    accessed: readonly ReadonlySet<string>[],
    names: Names,
    domains: Domains,
    extra: readonly number[] = [],
  ) {
    this.#extra = extra;
    this.#accessed = accessed;
    this.#names = names;
    this.#domains = domains;
  }

  of(thread: number, op: number, broadcast: boolean): readonly number[] {
    const symbol = this.#names.tlbiSymbol(op);
    const changes = (accessed: string): boolean =>
      (symbol === null || symbol === accessed) &&
      this.#domains.of(this.#names.entryOf(accessed)).length > 1;
    const vcpus = [...this.#accessed.keys()].filter((vcpu) => broadcast || vcpu === thread);
    const touched = vcpus.filter((vcpu) => [...(this.#accessed[vcpu] ?? [])].some(changes));
    return [...touched, ...this.#extra];
  }
}
