/**
 * A complete global order as one thread sees it: writes and TLBI deliveries at positions 1 to n,
 * initial values at position 0.
 *
 *   position   0          1          2             3              4
 *             initial   P0: x=1   P1: y=1   P0: TLBI at P0   P0: TLBI at P1
 *
 * Positions double as times: "at time t" is after event t and before event t+1.
 *
 * An order may be *open*: from some position on its events are still to come, in an order that is not
 * settled. Their positions are names only. Views are joins of positions, so all that can be told of two
 * that lie beyond is that they lie beyond, and whatever hangs on which of them is first is taken to be
 * possible: a thread that has no way through an open order has none through any that it may become.
 */
import type { EntrySpan, PlacedEvent } from './program.ts';

/** After every event. */
export const NEVER = 1 << 20;

export class GlobalOrder {
  /** By own event, in program order. */
  readonly positions: readonly number[];
  /** The last position whose place in the order is known. */
  readonly settled: number;
  readonly #placed: readonly PlacedEvent[];
  readonly #initial: readonly number[];
  readonly #writes: (readonly number[] | undefined)[] = [];
  readonly #spans: (readonly EntrySpan[] | undefined)[] = [];

  constructor(
    initial: readonly number[],
    placed: readonly PlacedEvent[],
    positions: readonly number[],
    settled = placed.length,
  ) {
    this.#initial = initial;
    this.#placed = placed;
    this.positions = positions;
    this.settled = settled;
  }

  get isOpen(): boolean {
    return this.settled < this.#placed.length;
  }

  /** Is `view` certain to be at `limit` or beyond, however the order goes on? */
  isPast(view: number, limit: number): boolean {
    return view >= limit && limit <= this.settled;
  }

  /** Can `a` and `b` be one position? */
  maySame(a: number, b: number): boolean {
    return a === b || (a > this.settled && b > this.settled);
  }

  /** The event at `position`; none at 0. */
  at(position: number): PlacedEvent | undefined {
    return this.#placed[position - 1];
  }

  /**
   * Positions of the writes to `location` in coherence order; the first is 0, its initial value.
   */
  writesOf(location: number): readonly number[] {
    const known = this.#writes[location];
    if (known) return known;
    const writes = [0];
    for (let i = 0; i < this.#placed.length; i++) {
      const event = this.#placed[i]?.event;
      if (event?.kind === 'write' && event.location === location) writes.push(i + 1);
    }
    this.#writes[location] = writes;
    return writes;
  }

  /** Is the event at `position` one by a walker, not by an instruction? */
  isHardware(position: number): boolean {
    const event = this.at(position)?.event;
    return event?.kind === 'write' && event.hardware === true;
  }

  valueAt(location: number, position: number): number {
    const event = this.at(position)?.event;
    return event?.kind === 'write' ? event.value : (this.#initial[location] as number);
  }

  /** What `entry` held, and when. */
  spansOf(entry: number): readonly EntrySpan[] {
    const known = this.#spans[entry];
    if (known) return known;
    const writes = this.writesOf(entry);
    const spans = writes.map((from, i) => ({
      value: this.valueAt(entry, from),
      from,
      until: writes[i + 1] ?? NEVER,
    }));
    this.#spans[entry] = spans;
    return spans;
  }

  /**
   * Position of the TLBI, of whatever kind, that vCPU `vcpu` receives after the one at `position` from
   * the same thread, which had waited for that one before (DSB).
   */
  repeatOf(vcpu: number, position: number): number {
    const first = this.at(position);
    if (first?.event.kind !== 'tlbi') return NEVER;
    for (let p = position + 1; p <= this.#placed.length; p++) {
      const placed = this.at(p);
      if (placed?.event.kind !== 'tlbi' || placed.event.receiver !== vcpu) continue;
      if (placed.thread === first.thread && placed.event.epoch > first.event.epoch) return p;
    }
    return NEVER;
  }

  /**
   * Position of the first TLBI that vCPU `vcpu` receives at or after `from` and that `matches`, be
   * it from anyone or from a thread other than `but`.
   */
  firstTlbi(
    vcpu: number,
    from: number,
    but: number | null,
    matches: (op: number) => boolean,
  ): number {
    for (let p = from; p <= this.#placed.length; p++) {
      const placed = this.at(p);
      if (placed?.event.kind !== 'tlbi' || placed.event.receiver !== vcpu) continue;
      if (placed.thread !== but && matches(placed.event.op)) return p;
    }
    return NEVER;
  }
}
