/**
 * The search as one would write it first: every order that the events' own constraints leave, each
 * of them run through by every thread. No prefix is recognised, given up early or mirrored away.
 */
import {
  type ModelOptions,
  type OrderOutcomes,
  OrderRun,
  type PlacedEvent,
  type System,
} from '../../../src/explore/model/index.ts';
import { type Choice, Choices } from '../../../src/explore/model/choices.ts';
import { skeletonsOf } from '../../../src/explore/model/skeleton.ts';

const EVENTS_MAX = 16;

export function plainSearch(
  system: System,
  options: ModelOptions,
  visit: (found: OrderOutcomes) => void,
  skeletonsFor: typeof skeletonsOf = skeletonsOf,
): void {
  const choices = new Choices(
    system.threads.map((_, thread) => skeletonsFor(system, options, thread, EVENTS_MAX)),
    system.initial,
  );
  let nth = 0;
  for (let choice = choices.next(); choice !== null; choice = choices.next()) {
    for (const order of ordersOf(choice, [])) {
      visitOrder(system, options, choice, order, nth++, visit);
    }
  }
}

/** Orders `plainSearch` would try. */
export function ordersTried(system: System, options: ModelOptions): number {
  const choices = new Choices(
    system.threads.map((_, thread) => skeletonsOf(system, options, thread, EVENTS_MAX)),
    system.initial,
  );
  let orders = 0;
  for (let choice = choices.next(); choice !== null; choice = choices.next()) {
    orders += waysOn(choice, 0, new Map());
  }
  return orders;
}

/** Ways to go on where the events of the mask `placed` stand, by number of event. */
function waysOn(choice: Choice, placed: number, known: Map<number, number>): number {
  const { events, before } = choice;
  if (placed === 2 ** events.length - 1) return 1;
  const found = known.get(placed);
  if (found !== undefined) return found;
  let ways = 0;
  for (const [number, { ordinal }] of events.entries()) {
    // Events of a thread stand side by side, so its masks are the choice's, moved.
    const mustPrecede = (before[number] ?? 0) << (number - ordinal);
    if ((placed & (1 << number)) !== 0 || (placed & mustPrecede) !== mustPrecede) continue;
    ways += waysOn(choice, placed | (1 << number), known);
  }
  known.set(placed, ways);
  return ways;
}

function* ordersOf(choice: Choice, order: readonly PlacedEvent[]): Generator<PlacedEvent[]> {
  if (order.length === choice.events.length) yield [...order];
  for (const [number, event] of choice.events.entries()) {
    if (order.includes(event)) continue;
    const own = order.filter(({ thread }) => thread === event.thread);
    const placed = own.reduce((mask, { ordinal }) => mask | (1 << ordinal), 0);
    const before = choice.before[number] ?? 0;
    if ((placed & before) === before) yield* ordersOf(choice, [...order, event]);
  }
}

function visitOrder(
  system: System,
  options: ModelOptions,
  { number: choice, events }: Choice,
  order: readonly PlacedEvent[],
  nth: number,
  visit: (found: OrderOutcomes) => void,
): void {
  const outcomes: ReadonlyMap<number, number>[] = [];
  for (const thread of system.threads.keys()) {
    const ends = new Map<number, number>();
    const count = (end: number): unknown => ends.set(end, (ends.get(end) ?? 0) + 1);
    new OrderRun(system, options, thread, count).run(order);
    if (ends.size === 0) return;
    outcomes.push(ends);
  }
  const memory = [...system.initial];
  for (const { event } of order) if (event.kind === 'write') memory[event.location] = event.value;
  const numbers = order.map((placed) => events.indexOf(placed));
  // No two of them are taken to look alike to a thread.
  visit({ memory, choice, numbers, order, outcomes, seen: outcomes.map(() => nth) });
}
