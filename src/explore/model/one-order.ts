/** One given order instead of all of them: what a schedule is replayed on. */
import { Choices } from './choices.ts';
import type { ModelOptions } from './options.ts';
import { GlobalOrder } from './order.ts';
import type { PlacedEvent, System } from './program.ts';
import { PathTooLong, skeletonsOf } from './skeleton.ts';
import { type OnEnd, ThreadRun } from './thread-run.ts';

/**
 * The events numbered `numbers` of combination `choice` (see `OrderOutcomes`); null if there is no
 * such combination, or the numbers are not all of its events. Whether the threads have a way through
 * is for them to say.
 */
export function orderOf(
  system: System,
  options: ModelOptions,
  eventsMax: number,
  choice: number,
  numbers: readonly number[],
): readonly PlacedEvent[] | null {
  try {
    const choices = new Choices(
      system.threads.map((_, thread) => skeletonsOf(system, options, thread, eventsMax)),
      system.initial,
    );
    for (let next = choices.next(); next !== null; next = choices.next()) {
      if (next.number !== choice) continue;
      if (new Set(numbers).size !== numbers.length) return null;
      const order = numbers.flatMap((number) => next?.events[number] ?? []);
      return order.length === next.events.length ? order : null;
    }
  } catch (error) {
    if (!(error instanceof PathTooLong)) throw error;
  }
  return null;
}

/** Every way of one thread through orders that are given; `onEnd` is called at the end of each. */
export class OrderRun {
  readonly #system: System;
  readonly #thread: number;
  readonly #run: ThreadRun;

  constructor(system: System, options: ModelOptions, thread: number, onEnd: OnEnd) {
    this.#system = system;
    this.#thread = thread;
    this.#run = new ThreadRun(system, options, thread, onEnd);
  }

  run(order: readonly PlacedEvent[]): void {
    // By own event in program order, which is not always the order they stand in.
    const positions: number[] = [];
    for (const [i, placed] of order.entries()) {
      if (placed.thread === this.#thread) positions[placed.ordinal] = i + 1;
    }
    this.#run.run(new GlobalOrder(this.#system.initial, order, positions));
  }
}
