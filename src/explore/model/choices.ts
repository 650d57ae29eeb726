/** One skeleton per thread, in every combination, and the events each combination has. */
import type { PlacedEvent } from './program.ts';
import type { Skeleton } from './skeleton.ts';

export interface Choice {
  /** Which combination it is, from 0. */
  readonly number: number;
  /** Of all threads, thread by thread, in program order. */
  readonly events: readonly PlacedEvent[];
  /** By number of event: bit mask of the events of its own thread that must precede it. */
  readonly before: readonly number[];
  /**
   * False: some value is read that none of the events writes, or replaced more often than it is there.
   * No order of it has a way through for every thread.
   */
  readonly isPossible: boolean;
}

export class Choices {
  readonly #initial: readonly number[];
  readonly #skeletons: readonly (readonly Skeleton[])[];
  /** By thread: which of its skeletons is next. Counts like an odometer, the last thread fastest. */
  readonly #at: number[];
  #over: boolean;
  #given = 0;

  /** `initial`: values that are there before any event. */
  constructor(skeletons: readonly (readonly Skeleton[])[], initial: readonly number[]) {
    this.#initial = initial;
    this.#skeletons = skeletons;
    this.#at = skeletons.map(() => 0);
    this.#over = skeletons.some((mine) => mine.length === 0);
  }

  /** Null after the last combination. */
  next(): Choice | null {
    if (this.#over) return null;
    const chosen = this.#skeletons.map((mine, thread) => mine[this.#at[thread] ?? 0] as Skeleton);
    this.#over = !this.#advance();
    return {
      number: this.#given++,
      events: chosen.flatMap(({ events }, thread) =>
        events.map((event, ordinal): PlacedEvent => ({ thread, ordinal, event })),
      ),
      before: chosen.flatMap(({ before }) => before),
      isPossible: this.#isPossible(chosen),
    };
  }

  #isPossible(chosen: readonly Skeleton[]): boolean {
    if (chosen.every(({ reads }) => reads === undefined)) return true;
    const there = new Map<number, number>();
    const add = (value: number, count: number): number => {
      const sum = (there.get(value) ?? 0) + count;
      there.set(value, sum);
      return sum;
    };
    for (const value of this.#initial) add(value, 1);
    for (const { events } of chosen) {
      for (const event of events) if (event.kind === 'write') add(event.value, 1);
    }
    return (
      chosen.every(({ reads }) => reads?.values.every((value) => there.has(value)) ?? true) &&
      chosen.every(({ reads }) => reads?.replaced.every((value) => add(value, -1) >= 0) ?? true)
    );
  }

  /** False if every combination has been given. */
  #advance(): boolean {
    for (let thread = this.#at.length - 1; thread >= 0; thread--) {
      const at = (this.#at[thread] as number) + 1;
      if (at < (this.#skeletons[thread]?.length ?? 0)) {
        this.#at[thread] = at;
        return true;
      }
      this.#at[thread] = 0;
    }
    return false;
  }
}
