/**
 * herd's flag BBM-expected: in some execution a descriptor that a TLB may hold is replaced by another
 * one that it may hold, they differ in what asks for break-before-make, and none was made.
 *
 * The relation is that of herdtools7's aarch64bbm.cat and aarch64.cat (at 5feffe4e8f98): the memory
 * type, shareability, cacheability or output address changes, the last only where one of the two
 * mappings is writable or the two frames differ in what they hold; and no descriptor that no TLB
 * holds (invalid, or AF = 0) stood between, followed by a TLBI that is over before the second one.
 */
import type { PlacedEvent } from '../../explore/model/index.ts';
import { attributesIn } from '../parse/memory-attributes.ts';
import { descriptorOf, type Names } from '../tree/translation.ts';
import type { Pte } from '../parse/value.ts';
import type { Walker } from '../tree/walker.ts';

export const BBM_EXPECTED = 'BBM-expected';

/** The vCPU that receives every TLBI and has no other use: it shows when the TLBI itself was. */
export const WITNESS = -2;

/** A TLB may keep it. */
function isCacheable(pte: Pte): boolean {
  return pte.valid !== 0 && pte.af !== 0;
}

/** Does the change alone ask for it, whatever memory holds? */
function changesAttributes(from: Pte, to: Pte): boolean {
  const [a, b] = [attributesIn(from.attrs), attributesIn(to.attrs)];
  if (a.device !== null || b.device !== null) return a.device !== b.device;
  return a.shareability !== b.shareability || a.inner !== b.inner || a.outer !== b.outer;
}

export class NeedsBbm {
  readonly #names: Names;
  readonly #initial: readonly number[];
  readonly #hasAccessFlag: boolean;
  readonly #hasDirtyState: boolean;

  /** `initial`: values by location. */
  constructor(names: Names, initial: readonly number[], walkers: readonly Walker[]) {
    this.#names = names;
    this.#initial = initial;
    this.#hasAccessFlag = walkers.some(({ accessFlag }) => accessFlag);
    this.#hasDirtyState = walkers.some(({ dirty }) => dirty === 'set');
  }

  /** Can the flag be raised at all, where locations hold these values at some time? */
  isPossible(valuesOf: (location: number) => readonly number[]): boolean {
    return this.#names.entries.some((entry) => {
      const ptes = valuesOf(entry).map((id) => this.#descriptor(id));
      return ptes.some((from) => ptes.some((to) => this.#isCandidate(from, to, () => true)));
    });
  }

  /**
   * Is it raised by this order? Deliveries to the witness stand for their TLBIs; without them, where
   * `flushes` is false, every TLBI may be where it takes the flag away.
   */
  isRaised(order: readonly PlacedEvent[], flushes: 'seen' | 'assumed'): boolean {
    return this.#names.symbols.some((symbol) => this.#isRaisedFor(symbol, order, flushes));
  }

  #isRaisedFor(symbol: string, order: readonly PlacedEvent[], known: 'seen' | 'assumed'): boolean {
    const entry = this.#names.entryOf(symbol);
    const writes = [{ at: 0, pte: this.#descriptor(this.#initial[entry] as number) }];
    const flushes: number[] = [];
    for (const [i, { event }] of order.entries()) {
      if (event.kind === 'write') {
        if (event.location === entry)
          writes.push({ at: i + 1, pte: this.#descriptor(event.value) });
      } else if (event.receiver === WITNESS) {
        const flushed = this.#names.tlbiSymbol(event.op);
        if (flushed === null || flushed === symbol) flushes.push(i + 1);
      }
    }
    return writes.some((from, i) =>
      writes.slice(i + 1).some((to, j) => {
        if (!this.#isCandidate(from.pte, to.pte, (a, b) => this.#differ(a, b, order))) return false;
        const between = writes.slice(i + 1, i + 1 + j).filter(({ pte }) => !isCacheable(pte));
        if (known === 'assumed') return between.length === 0;
        return !between.some(({ at }) => flushes.some((flush) => at < flush && flush < to.at));
      }),
    );
  }

  #descriptor(id: number): Pte {
    return descriptorOf(this.#names.values.valueOf(id));
  }

  #isCandidate(from: Pte, to: Pte, differ: (a: string, b: string) => boolean): boolean {
    if (!isCacheable(from) || !isCacheable(to)) return false;
    if (changesAttributes(from, to)) return true;
    if (from.oa === to.oa) return false;
    return this.#isWritable(from) || this.#isWritable(to) || differ(from.oa, to.oa);
  }

  #isWritable({ af, db, dbm }: Pte): boolean {
    return (af !== 0 || this.#hasAccessFlag) && (db !== 0 || (dbm !== 0 && this.#hasDirtyState));
  }

  /** Did the two frames ever hold two different values? */
  #differ(a: string, b: string, order: readonly PlacedEvent[]): boolean {
    const held = (symbol: string): number[] => {
      const locations = this.#names.locationsOf(symbol, null);
      const written = order.flatMap(({ event }) =>
        event.kind === 'write' && locations.includes(event.location) ? [event.value] : [],
      );
      return [...locations.map((location) => this.#initial[location] as number), ...written];
    };
    const [one, other] = [held(a), held(b)];
    return one.some((left) => other.some((right) => left !== right));
  }
}
