/**
 * The hypervisor's side of a schedule: its stores and TLBIs where they take effect, barriers where its
 * program has them. Cut short at the last access to be shown, with the barriers that nothing has
 * overtaken; or whole, every operation of the program.
 */
import { assert, assertNever } from '../../arch/assert.ts';
import { describeTlbi, isBroadcast } from '../../arch/tlbi.ts';
import type { ExploreStep } from '../../result/explore.ts';
import type { PlacedEvent } from '../model/index.ts';
import { placeName, valueText } from './describe.ts';
import { type MemoryMap, REUSED, TARGET } from './memory-map.ts';
import { reasonOf } from './reasons.ts';
import type { Operation } from './recording.ts';
import type { TimedStep } from './schedule.ts';
import type { Path } from './unroll.ts';

const thread = 'hypervisor';

export interface HostInput {
  readonly map: MemoryMap;
  /** What the hypervisor did; its thread is number 0. */
  readonly path: Path;
  /** Stores to other locations are no events. */
  readonly isRead: (location: number) => boolean;
  readonly order: readonly PlacedEvent[];
  /** vCPUs that a broadcast reaches. */
  readonly receivers: number;
}

export class HostSteps {
  readonly #input: HostInput;
  /** Index of the operation behind each of the thread's events, in program order. */
  readonly #behind: readonly number[];
  /** By own event: its position in the order. */
  readonly #positions: readonly number[];

  constructor(input: HostInput) {
    this.#input = input;
    this.#behind = input.path.operations.flatMap((operation, i) =>
      Array.from({ length: this.#eventsOf(operation, i) }, () => i),
    );
    const positions = this.#behind.map(() => 0);
    for (const [i, { thread: owner, ordinal }] of input.order.entries()) {
      if (owner === 0) positions[ordinal] = i + 1;
    }
    this.#positions = positions;
  }

  /** A compare-exchange that failed is a read: the next operation shows what it found. */
  #eventsOf(operation: Operation, index: number): number {
    const { isRead, receivers, path } = this.#input;
    if (operation.kind === 'write') return isRead(operation.location) ? 1 : 0;
    if (operation.kind === 'tlbi') return isBroadcast(operation.tlbi.kind) ? receivers : 0;
    if (operation.kind !== 'cas') return 0;
    const nth = path.operations.slice(0, index).filter(isAnswered).length;
    const answers = path.trace.filter(
      (e) => e.op === 'read' || (e.op === 'write' && e.order === 'cas'),
    );
    return answers[nth]?.op === 'write' ? 1 : 0;
  }

  /** Events up to position `until`, and the barriers between them. */
  upTo(until: number): TimedStep[] {
    const { order } = this.#input;
    const found: TimedStep[] = [];
    const placed = new Set<number>();
    let next = 0;
    for (const [i, { thread: owner, ordinal, event }] of order.slice(0, until).entries()) {
      const at = i + 1;
      if (owner !== 0) continue;
      placed.add(ordinal);
      const index = this.#behind[ordinal];
      assert(index !== undefined, 'every event has an operation behind it');
      // Barriers between here and the last operation shown, if nothing was overtaken.
      const inOrder = this.#behind.every((op, o) => op >= index || placed.has(o));
      if (inOrder) {
        for (let op = next; op < index; op++) {
          if (isBarrier(this.#operation(op))) found.push({ at, step: this.#plainStep(op) });
        }
        next = Math.max(next, index);
      }
      found.push({ at, step: this.#eventStep(ordinal, event) });
    }
    return found;
  }

  /** Everything the hypervisor does. What is no event stands behind all that its program has first. */
  whole(): TimedStep[] {
    const { path, order } = this.#input;
    let latest = 0;
    return path.operations.flatMap((_, index) => {
      const ordinals = this.#behind.flatMap((op, ordinal) => (op === index ? [ordinal] : []));
      if (ordinals.length === 0) return [{ at: latest, step: this.#plainStep(index) }];
      return ordinals.map((ordinal) => {
        const at = this.#positions[ordinal] ?? 0;
        const placed = order[at - 1];
        assert(placed !== undefined, 'every event of the path stands in the order');
        latest = Math.max(latest, at);
        return { at, step: this.#eventStep(ordinal, placed.event) };
      });
    });
  }

  #operation(index: number): Operation {
    const operation = this.#input.path.operations[index];
    assert(operation !== undefined, `no operation ${index}`);
    return operation;
  }

  #reason(index: number, ordinal: number | null): string {
    const at = ordinal === null ? 0 : (this.#positions[ordinal] ?? 0);
    const others = this.#behind.map((op, o) => ({ op, at: this.#positions[o] ?? 0 }));
    const before = this.#input.path.operations.slice(0, index);
    const tlbi = before.findLastIndex(({ kind }) => kind === 'tlbi');
    const waited = before.findLastIndex((op) => op.kind === 'dsb' && op.dsb === 'ish');
    return reasonOf(this.#input.map, this.#operation(index), {
      tlbiPending: tlbi > waited,
      isLate: ordinal !== null && others.some((other) => other.op > index && other.at < at),
      isEarly: ordinal !== null && others.some((other) => other.op < index && other.at > at),
    });
  }

  /** An operation that is no event of the order. */
  #plainStep(index: number): ExploreStep {
    const operation = this.#operation(index);
    const why = this.#reason(index, null);
    switch (operation.kind) {
      case 'dsb':
        return { thread, op: 'dsb', detail: `DSB ${operation.dsb.toUpperCase()}`, why };
      case 'isb':
        return { thread, op: 'isb', detail: 'ISB', why };
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
    if (operation.kind === 'tlbi') {
      assert(event.kind === 'tlbi', 'a TLBI is delivered');
      const detail = `${describeTlbi(operation.tlbi)} takes effect at vcpu ${event.receiver - 1}`;
      return { thread, op: 'tlbi', detail, why };
    }
    if (operation.kind === 'write') return { ...this.#storeStep(operation), why };
    assert(operation.kind === 'cas', 'only stores and TLBIs are events');
    const { map } = this.#input;
    const { location, desired } = operation;
    const detail = `${placeName(map, location)} = ${valueText(map, location, desired)}`;
    return { thread, op: 'compare-exchange', detail, why };
  }

  #storeStep({ location, value, release }: Extract<Operation, { kind: 'write' }>): ExploreStep {
    const { map } = this.#input;
    const what = `${placeName(map, location)} = ${valueText(map, location, value)}`;
    if (location === map.lock) return { thread, op: 'unlock', detail: what };
    if (value === REUSED && location !== TARGET) {
      return { thread, op: 'write', detail: `${what} (the page was freed)` };
    }
    return { thread, op: release ? 'write-release' : 'write', detail: what };
  }
}

function isAnswered({ kind }: Operation): boolean {
  return kind === 'read' || kind === 'cas';
}

function isBarrier({ kind }: Operation): boolean {
  return kind === 'dsb' || kind === 'isb';
}
