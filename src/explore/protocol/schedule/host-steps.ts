/**
 * The hypervisor's side of a schedule: its stores and TLBIs where they take effect, barriers where its
 * program has them. Cut short at the last access to be shown, with the barriers that nothing has
 * overtaken; or whole, every operation of the program.
 */
import { assert, assertNever } from '../../../arch/assert.ts';
import type { Descriptor } from '../../../arch/descriptor.ts';
import { describeTlbi } from '../../../arch/tlbi.ts';
import type { ExploreStep } from '../../../result/explore.ts';
import type { PlacedEvent, TrailStep } from '../../model/index.ts';
import { isForeign } from '../machine/hardware-update.ts';
import { contextText, guestName, placeName, valueText } from '../machine/describe.ts';
import { type MemoryMap, REUSED } from '../machine/memory-map.ts';
import { reachOf } from '../machine/reach.ts';
import { FAILED, type Overtaking, reasonOf } from './reasons.ts';
import type { Operation } from '../run/recording.ts';
import type { TimedStep } from './timed-step.ts';
import { type Path, regionOf } from '../run/unroll.ts';

/** One thread of the hypervisor's, on its way. */
export interface HostWay {
  /** As schedules call it. */
  readonly name: string;
  /** Its number in the model. */
  readonly thread: number;
  readonly path: Path;
  /** What the thread reads, in program order, to be shown; empty: it is not. */
  readonly reads: readonly TrailStep[];
}

export interface HostInput {
  readonly map: MemoryMap;
  /** Stores to other locations are no events. */
  readonly isRead: (location: number) => boolean;
  readonly order: readonly PlacedEvent[];
  readonly vcpus: number;
  /** vCPUs that a broadcast reaches: also that of the second VM, if there is one. */
  readonly receivers: number;
  /** By number. */
  readonly values: readonly Descriptor[];
}

/** The reads of a way through the hypervisor's tree. */
export function readsIn(trail: readonly TrailStep[]): readonly TrailStep[] {
  return trail.filter(({ node }) => node.kind !== 'write');
}

export class HostSteps {
  readonly #input: HostInput;
  readonly #way: HostWay;
  /** Index of the operation behind each of the thread's events, in program order. */
  readonly #behind: readonly number[];
  /** By own event: its position in the order. */
  readonly #positions: readonly number[];

  constructor(input: HostInput, way: HostWay) {
    this.#input = input;
    this.#way = way;
    this.#behind = way.path.operations.flatMap((operation, i) =>
      Array.from({ length: this.#eventsOf(operation, i) }, () => i),
    );
    const positions = this.#behind.map(() => 0);
    for (const [i, { thread: owner, ordinal }] of input.order.entries()) {
      if (owner === way.thread) positions[ordinal] = i + 1;
    }
    this.#positions = positions;
  }

  /** A compare-exchange that failed is a read: the next operation shows what it found. */
  #eventsOf(operation: Operation, index: number): number {
    const { isRead, receivers } = this.#input;
    const { path } = this.#way;
    if (operation.kind === 'write') return isRead(operation.location) ? 1 : 0;
    if (operation.kind === 'tlbi') return reachOf(this.#input.map, operation.tlbi, receivers);
    if (operation.kind === 'ipi') return this.#input.map.counts === 'interrupts' ? receivers : 0;
    if (operation.kind !== 'cas' || !isRead(operation.location)) return 0;
    const isAsked = (each: Operation): boolean => isAnswered(each) || each.kind === 'choose';
    const nth = path.operations.slice(0, index).filter(isAsked).length;
    return path.answers[nth] === operation.expected ? 1 : 0;
  }

  /** Events up to position `until`, and the barriers before them. */
  upTo(until: number): TimedStep[] {
    const { path } = this.#way;
    const reads = new Map(this.#readSteps().map((read) => [read.index, read]));
    return path.operations.flatMap((operation, index) => {
      const read = reads.get(index);
      if (read !== undefined) return [read];
      const events = this.#eventSteps(index).filter(({ at }) => at <= until);
      // A reader who knows the code would look for a TLBI that goes astray.
      const isAstray = operation.kind === 'tlbi' && !this.#behind.includes(index);
      if (events.length > 0 || !(isBarrier(operation) || isAstray)) return events;
      const isBefore = this.#first(index) <= until;
      return isBefore ? [{ at: this.#placeOf(index), index, step: this.#plainStep(index) }] : [];
    });
  }

  /**
   * What takes effect only after position `until`, so that `upTo` does not have it. What others do with
   * memory that was given away is none of its operations.
   */
  after(until: number): ExploreStep[] {
    return this.#way.path.operations.flatMap((operation, index) => {
      const events = this.#eventSteps(index);
      const late = events.filter(({ at }) => at > until);
      if (events.length > 0 ? late.length === 0 : this.#first(index) <= until) return [];
      if (events.length === 0 && !isBarrier(operation) && !isTold(operation)) return [];
      if (operation.kind === 'write' && this.#isOthers(operation)) return [];
      // Where it has not reached anybody yet there is no need to say whom it will.
      const isWhole = late.length === events.length && operation.kind !== 'cas';
      const steps = isWhole ? [this.#plainStep(index)] : late.map(({ step }) => step);
      return steps.map(({ thread, op, detail }) => ({ thread, op, detail }));
    });
  }

  /** The next user's store to a page that was freed, and the like. */
  #isOthers({ location, value }: Extract<Operation, { kind: 'write' }>): boolean {
    const map = this.#input.map.at(location);
    if (location === map.moment || location === map.switchedWalk) return true;
    return isForeign(value, REUSED) && location !== map.target;
  }

  /** Everything the hypervisor does. */
  whole(): TimedStep[] {
    const { path } = this.#way;
    const reads = new Map(this.#readSteps().map((read) => [read.index, read]));
    return path.operations.flatMap((operation, index) => {
      const read = reads.get(index);
      if (read !== undefined) return [read];
      if (operation.kind === 'choose') return [];
      const events = this.#eventSteps(index);
      if (events.length > 0) return events;
      return [{ at: this.#placeOf(index), index, step: this.#plainStep(index) }];
    });
  }

  #eventSteps(index: number): TimedStep[] {
    const { order } = this.#input;
    return this.#behind.flatMap((op, ordinal) => {
      if (op !== index) return [];
      const at = this.#positions[ordinal] ?? 0;
      const placed = order[at - 1];
      assert(placed !== undefined, 'every event of the path stands in the order');
      return [{ at, index, step: this.#told(index, this.#eventStep(ordinal, placed.event)) }];
    });
  }

  /** Position of the first event that the program has after operation `index`. */
  #first(index: number): number {
    const later = this.#behind.map((op, o) => (op > index ? (this.#positions[o] ?? 0) : Infinity));
    return Math.min(Infinity, ...later);
  }

  /**
   * Where an operation that is no event stands: behind what its program has before it, and always
   * before what its program has after it, which may have overtaken something that it does not order.
   */
  #placeOf(index: number): number {
    const earlier = this.#behind.map((op, o) => (op < index ? (this.#positions[o] ?? 0) : 0));
    const views = this.#views().filter((read) => read.index < index);
    const operation = this.#operation(index);
    const isFull = operation.kind === 'dsb' && operation.dsb === 'ish';
    const read = isFull ? views.map(({ view }) => view) : [];
    return Math.min(Math.max(0, ...earlier, ...read), this.#first(index) - 1);
  }

  /** Reads that are no events, compare-exchanges that failed among them: what they could see at least. */
  #views(): { readonly index: number; readonly view: number; readonly trail: TrailStep }[] {
    const { isRead } = this.#input;
    const { path, reads } = this.#way;
    const answered = path.operations.flatMap((operation, i) =>
      isAnswered(operation) && isRead(operation.location) ? [i] : [],
    );
    return reads.flatMap((trail, nth) => {
      const index = answered[nth];
      if (index === undefined || this.#behind.includes(index)) return [];
      return [{ index, view: trail.view, trail }];
    });
  }

  /**
   * As late as their place in the program asks for, but while memory still holds what they found, and
   * before what comes after them.
   */
  #readSteps(): (TimedStep & { readonly index: number })[] {
    const { map, values, order } = this.#input;
    const thread = this.#way.name;
    return this.#views().map(({ index, view, trail: { node, result } }) => {
      assert(node.target.kind === 'location', 'the hypervisor is not translated');
      const { location } = node.target;
      const value = result.kind === 'value' ? values[result.value] : undefined;
      assert(value !== undefined, 'a location is read without a fault');
      const gone = order.findIndex(
        ({ event }, i) => i >= view && event.kind === 'write' && event.location === location,
      );
      const before = this.#behind.map((op, o) => (op < index ? (this.#positions[o] ?? 0) : 0));
      const next = Math.max(view, this.#first(index) - 1);
      const at = Math.min(Math.max(view, ...before), next, gone < 0 ? Infinity : gone);
      const found = `${placeName(map, location)} is ${valueText(map, location, value)}`;
      const why = this.#reason(index, null);
      const operation = this.#operation(index);
      if (operation.kind !== 'cas')
        return { at, index, step: { thread, op: 'read', detail: found, why } };
      const expected = valueText(map, location, operation.expected);
      const detail = `${found}, not ${expected}: it failed, and stored nothing`;
      return { at, index, step: { thread, op: 'compare-exchange', detail, why: FAILED } };
    });
  }

  #operation(index: number): Operation {
    const operation = this.#way.path.operations[index];
    assert(operation !== undefined, `no operation ${index}`);
    return operation;
  }

  #reason(index: number, ordinal: number | null): string {
    const at = ordinal === null ? 0 : (this.#positions[ordinal] ?? 0);
    const others = this.#behind.map((op, o) => ({ op, at: this.#positions[o] ?? 0 }));
    const { operations } = this.#way.path;
    const before = operations.slice(0, index);
    const tlbi = before.findLastIndex(({ kind }) => kind === 'tlbi');
    const waited = before.findLastIndex((op) => op.kind === 'dsb' && op.dsb === 'ish');
    const isPlaced = ordinal !== null;
    const late = others.filter((other) => isPlaced && other.op > index && other.at < at);
    const early = others.filter((other) => isPlaced && other.op < index && other.at > at);
    const relation = (found: typeof others): Overtaking | null => {
      const kinds = found.map(({ op }) => this.#operation(op).kind);
      const [first] = found;
      if (first === undefined) return null;
      const between = operations.slice(Math.min(first.op, index), Math.max(first.op, index));
      const barrier = between.findLast(({ kind }) => kind === 'dsb');
      const isTlbi = kinds.every((kind) => kind === 'tlbi');
      return {
        what: isTlbi ? 'tlbi' : 'store',
        weak: barrier?.kind === 'dsb' ? barrier.dsb : null,
      };
    };
    return reasonOf(this.#input.map, this.#operation(index), {
      tlbiPending: tlbi > waited,
      overtakenBy: relation(late),
      overtakes: relation(early),
    });
  }

  /** Of two regions: what names no place of its own says which it is for. */
  #told(index: number, step: ExploreStep): ExploreStep {
    const { kind } = this.#operation(index);
    const isNamed = kind === 'write' || kind === 'read' || kind === 'cas';
    if (isNamed || !this.#input.map.isOneOfSeveral) return step;
    return { ...step, detail: `${step.detail} (entry ${regionOf(this.#way.path, index)})` };
  }

  /** An operation that is no event of the order. */
  #plainStep(index: number): ExploreStep {
    return this.#told(index, this.#plain(index));
  }

  #plain(index: number): ExploreStep {
    const operation = this.#operation(index);
    const why = this.#reason(index, null);
    const thread = this.#way.name;
    switch (operation.kind) {
      case 'dsb':
        return { thread, op: 'dsb', detail: `DSB ${operation.dsb.toUpperCase()}`, why };
      case 'dmb':
        return { thread, op: 'dmb', detail: `DMB ${operation.dmb.toUpperCase()}`, why };
      case 'isb':
        return { thread, op: 'isb', detail: 'ISB', why };
      case 'vttbr':
      case 'tge':
        return { thread, op: operation.kind, detail: contextText(operation), why };
      case 'choose':
        throw new Error('what the CPU chooses shows in the TLBI behind it');
      case 'ipi':
        return { thread, op: 'ipi', detail: 'an interrupt to each PE', why };
      case 'tlbi':
        return { thread, op: 'tlbi', detail: describeTlbi(operation.tlbi), why };
      case 'write':
        return { ...this.#storeStep(operation), why };
      case 'read':
      case 'cas': {
        const detail = placeName(this.#input.map, operation.location);
        return { thread, op: 'read', detail, why };
      }
      default:
        return assertNever(operation);
    }
  }

  #eventStep(ordinal: number, event: PlacedEvent['event']): ExploreStep {
    const index = this.#behind[ordinal];
    assert(index !== undefined, 'every event has an operation behind it');
    const operation = this.#operation(index);
    const why = this.#reason(index, ordinal);
    const thread = this.#way.name;
    if (operation.kind === 'tlbi') {
      assert(event.kind === 'tlbi', 'a TLBI is delivered');
      const where = guestName(this.#input.vcpus, event.receiver - 1);
      const detail = `${describeTlbi(operation.tlbi)} takes effect at ${where}`;
      return { thread, op: 'tlbi', detail, why };
    }
    if (operation.kind === 'ipi') {
      assert(event.kind === 'tlbi', 'an interrupt is delivered');
      const where = guestName(this.#input.vcpus, event.receiver - 1);
      return { thread, op: 'ipi', detail: `the interrupt is taken by ${where}`, why };
    }
    if (operation.kind === 'write') return { ...this.#storeStep(operation), why };
    assert(operation.kind === 'cas', 'only stores and TLBIs are events');
    const { map } = this.#input;
    const { location, desired } = operation;
    const detail = `${placeName(map, location)} = ${valueText(map, location, desired)}`;
    return { thread, op: 'compare-exchange', detail, why };
  }

  #storeStep({ location, value, release }: Extract<Operation, { kind: 'write' }>): ExploreStep {
    const map = this.#input.map.at(location);
    const thread = this.#way.name;
    const what = `${placeName(map, location)} = ${valueText(map, location, value)}`;
    if (map.isLock(location)) {
      const freed = map.makers === 1 ? what : `lock = ${valueText(map, location, value)}`;
      return { thread, op: 'unlock', detail: freed };
    }
    if (location === map.moment) return { thread, op: 'take', detail: what };
    if (location === map.switchedWalk) {
      const detail = `${placeName(map, location)} is ${valueText(map, location, value)}`;
      return { thread, op: 'walk', detail };
    }
    if (isForeign(value, REUSED) && location !== map.target) {
      return { thread, op: 'write', detail: `${what} (the page was freed)` };
    }
    return { thread, op: release ? 'write-release' : 'write', detail: what };
  }
}

function isAnswered(
  operation: Operation,
): operation is Extract<Operation, { kind: 'read' | 'cas' }> {
  return operation.kind === 'read' || operation.kind === 'cas';
}

/** What is an operation to a reader though it is no event: all that is done to other PEs. */
function isTold({ kind }: Operation): boolean {
  return kind === 'tlbi' || kind === 'ipi';
}

function isBarrier({ kind }: Operation): boolean {
  return kind === 'dsb' || kind === 'dmb' || kind === 'isb' || kind === 'vttbr' || kind === 'tge';
}
