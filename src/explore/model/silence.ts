/**
 * Events that no thread but their own can tell, of threads that translate nothing: stores to what others
 * never read, or read only behind a link that is still to come (reading.ts). Where instructions of another
 * thread store, too, what memory holds in the end tells.
 *
 * Of a silent event and a later one of its thread that follow each other directly, program order allows
 * all that the other order does: what an event must come after stands before it in program order, no other
 * thread can tell, and its own reads its own stores anyway. So one of the two orders is enough (search.ts).
 * A schedule that is to be short takes the other one: what is silent waits until something needs it.
 */
import type { PlacedEvent, System } from './program.ts';
import type { Projection } from './projection.ts';
import { isShared } from './reading.ts';
import { accessesOf } from './tree.ts';

/** The numbers of the events of an order; the first `until` of them come to what is asked for. */
export interface Extract {
  readonly numbers: readonly number[];
  readonly until: number;
}

export class Silence {
  readonly #events: readonly PlacedEvent[];
  readonly #before: readonly number[];
  /** By number of event. */
  readonly #isSilent: readonly boolean[];
  readonly #isNeeded: boolean;

  /** `before`: by number, all events of its own thread that must precede it, as a bit mask. */
  constructor(
    system: System,
    events: readonly PlacedEvent[],
    before: readonly number[],
    projections: readonly Projection[],
  ) {
    const isPlain = system.threads.map((_, thread) => translatesNothing(system, thread));
    this.#events = events;
    this.#before = before;
    this.#isSilent = events.map(
      (placed) =>
        isPlain[placed.thread] === true &&
        !isShared(events, placed) &&
        projections.every((each, thread) => thread === placed.thread || !each.tells(placed)),
    );
    this.#isNeeded = this.#isSilent.includes(true);
  }

  /** Is event `number` silent, and does it stand earlier in its program than `last`? */
  isOvertaken(number: number, last: PlacedEvent | undefined): boolean {
    if (this.#isSilent[number] !== true || last === undefined) return false;
    const { thread, ordinal } = this.#events[number] as PlacedEvent;
    return last.thread === thread && last.ordinal > ordinal;
  }

  /** The same order, with what is silent behind the first `until` events where none of those needs it. */
  sunk({ numbers, until }: Extract): Extract {
    if (!this.#isNeeded) return { numbers, until };
    const kept: number[] = [];
    const late: number[] = [];
    const needed: number[] = [];
    for (let i = until - 1; i >= 0; i--) {
      const number = numbers[i] as number;
      const { thread, ordinal } = this.#events[number] as PlacedEvent;
      const mask = needed[thread] ?? 0;
      if (this.#isSilent[number] === true && (mask & (1 << ordinal)) === 0) late.push(number);
      else {
        kept.push(number);
        needed[thread] = mask | (this.#before[number] as number);
      }
    }
    if (late.length === 0) return { numbers, until };
    const first = kept.toReversed();
    return {
      numbers: [...first, ...late.toReversed(), ...numbers.slice(until)],
      until: first.length,
    };
  }

  orderOf(numbers: readonly number[]): readonly PlacedEvent[] {
    return numbers.map((number) => this.#events[number] as PlacedEvent);
  }
}

function translatesNothing(system: System, thread: number): boolean {
  return accessesOf(system, thread).every(({ target }) => target.kind === 'location');
}
