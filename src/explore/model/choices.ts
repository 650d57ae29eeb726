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
}

export class Choices {
  readonly #skeletons: readonly (readonly Skeleton[])[];
  /** By thread: which of its skeletons is next. Counts like an odometer, the last thread fastest. */
  readonly #at: number[];
  #over: boolean;
  #given = 0;

  constructor(skeletons: readonly (readonly Skeleton[])[]) {
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
    };
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
