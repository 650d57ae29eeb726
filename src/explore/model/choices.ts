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
  /**
   * The combinations that are this one with like threads exchanged: by thread, whose part it has
   * there. Null: it is such a one itself, of one that came before.
   */
  readonly twins: readonly Exchange[] | null;
}

/** By thread: the thread in whose place it stands. */
export type Exchange = readonly number[];

export class Choices {
  readonly #initial: readonly number[];
  readonly #skeletons: readonly (readonly Skeleton[])[];
  /** By thread: which of its skeletons is next. Counts like an odometer, the last thread fastest. */
  readonly #at: number[];
  readonly #alike: readonly number[];
  #over: boolean;
  #given = 0;

  /** `initial`: values that are there before any event. `alike`: threads with the same skeletons. */
  constructor(
    skeletons: readonly (readonly Skeleton[])[],
    initial: readonly number[],
    alike: readonly number[] = [],
  ) {
    this.#initial = initial;
    this.#alike = alike;
    this.#skeletons = skeletons;
    this.#at = skeletons.map(() => 0);
    this.#over = skeletons.some((mine) => mine.length === 0);
  }

  /** Null after the last combination. */
  next(): Choice | null {
    if (this.#over) return null;
    const chosen = this.#skeletons.map((mine, thread) => mine[this.#at[thread] ?? 0] as Skeleton);
    const twins = this.#twins();
    this.#over = !this.#advance();
    return {
      twins,
      number: this.#given++,
      events: chosen.flatMap(({ events }, thread) =>
        events.map((event, ordinal): PlacedEvent => ({ thread, ordinal, event })),
      ),
      before: chosen.flatMap(({ before }) => before),
      isPossible: this.#isPossible(chosen),
    };
  }

  #twins(): readonly Exchange[] | null {
    const mine = this.#alike.map((thread) => this.#at[thread] as number);
    if (mine.some((at, i) => i > 0 && at < (mine[i - 1] as number))) return null;
    const twins = new Map<string, Exchange>();
    for (const order of permutations(this.#alike)) {
      const exchange = this.#at.map((_, thread) => thread);
      for (const [i, thread] of this.#alike.entries()) exchange[thread] = order[i] as number;
      const key = exchange.map((thread) => this.#at[thread]).join(' ');
      if (key !== this.#at.join(' ')) twins.set(key, exchange);
    }
    return [...twins.values()];
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

/** Every order of a few things. */
function permutations<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]];
  return things.flatMap((first, i) =>
    permutations(things.toSpliced(i, 1)).map((rest) => [first, ...rest]),
  );
}
