/**
 * One execution as a list of steps: the hypervisor's stores and TLBIs in the order in which they take
 * effect, and between them what the vCPU's walks read and what its accesses did with it, up to the
 * access that is to be shown.
 *
 *   hypervisor   write    entry = invalid (bits kept)
 *   vcpu 0       walk     page 0: entry is invalid (bits kept)
 *   vcpu 0       fault    load page 0: translation fault, level 2
 *
 * Barriers stand where the hypervisor's program has them, unless a later store overtook them; they
 * do not count for the length of a schedule.
 */
import { assert } from '../../arch/assert.ts';
import { type Descriptor, describeDescriptor } from '../../arch/descriptor.ts';
import { describeTlbi, isBroadcast } from '../../arch/tlbi.ts';
import type { ExploreStep } from '../../result/explore.ts';
import type { PlacedEvent, TrailStep, Walk } from '../model/index.ts';
import { placeName, valueText } from './describe.ts';
import type { Access } from './guest.ts';
import { GEOMETRY, type MemoryMap, REUSED, TARGET } from './memory-map.ts';
import type { Operation } from './recording.ts';
import type { RegionTranslation } from './translation.ts';
import type { Path } from './unroll.ts';

export interface Schedule {
  readonly steps: readonly ExploreStep[];
  /** Steps without barriers. */
  readonly length: number;
}

export interface ScheduleInput {
  readonly map: MemoryMap;
  readonly translation: RegionTranslation;
  readonly values: readonly Descriptor[];
  /** What the hypervisor did; its thread is number 0. */
  readonly path: Path;
  /** Stores to other locations are no events. */
  readonly isRead: (location: number) => boolean;
  readonly order: readonly PlacedEvent[];
  /** vCPUs that a broadcast reaches. */
  readonly receivers: number;
  readonly vcpu: number;
  /** The vCPU's accesses and its load of the lock, in program order, up to the one to show. */
  readonly trail: readonly TrailStep[];
  /** Of all vCPUs, by address. */
  readonly accesses: readonly Access[];
}

/** A step at a time: after the event at that position. */
interface TimedStep {
  readonly at: number;
  readonly step: ExploreStep;
}

export function scheduleOf(input: ScheduleInput): Schedule {
  const guest = input.trail.flatMap((step) => guestSteps(input, step));
  const until = Math.max(0, ...guest.map(({ at }) => at));
  const host = new Host(input).steps(until);
  const steps: ExploreStep[] = [];
  let barriers = 0;
  for (let at = 0; at <= until; at++) {
    for (const timed of host.filter((timed) => timed.at === at)) {
      steps.push(timed.step);
      if (isBarrier(timed.step)) barriers++;
    }
    steps.push(...guest.filter((timed) => timed.at === at).map(({ step }) => step));
  }
  return { steps, length: steps.length - barriers };
}

function isBarrier({ op }: ExploreStep): boolean {
  return op === 'dsb' || op === 'isb';
}

class Host {
  readonly #input: ScheduleInput;
  /** Operation behind each of the thread's events, in program order. */
  readonly #behind: readonly number[];

  constructor(input: ScheduleInput) {
    this.#input = input;
    this.#behind = input.path.operations.flatMap((operation, i) => {
      const events = this.#eventsOf(operation, input.path, i);
      return Array.from({ length: events }, () => i);
    });
  }

  /** A compare-exchange that failed is a read: the next operation shows what it found. */
  #eventsOf(operation: Operation, { trace }: Path, index: number): number {
    if (operation.kind === 'write') return this.#input.isRead(operation.location) ? 1 : 0;
    if (operation.kind === 'tlbi')
      return isBroadcastTo(this.#input, operation) ? this.#input.receivers : 0;
    if (operation.kind !== 'cas') return 0;
    const nth = this.#input.path.operations.slice(0, index).filter(isAnswered).length;
    const event = trace.filter((e) => e.op === 'read' || (e.op === 'write' && e.order === 'cas'))[
      nth
    ];
    return event?.op === 'write' ? 1 : 0;
  }

  steps(until: number): TimedStep[] {
    const { order, path } = this.#input;
    const found: TimedStep[] = [];
    const placed = new Set<number>();
    let next = 0;
    for (const [i, { thread, ordinal, event }] of order.slice(0, until).entries()) {
      const at = i + 1;
      if (thread !== 0) continue;
      placed.add(ordinal);
      const index = this.#behind[ordinal];
      assert(index !== undefined, 'every event has an operation behind it');
      // Barriers between here and the last operation shown, if nothing was overtaken.
      const inOrder = this.#behind.every((op, o) => op >= index || placed.has(o));
      if (inOrder) {
        const barriers = path.operations.slice(next, index).flatMap((op) => barrierStep(op) ?? []);
        found.push(...barriers.map((step) => ({ at, step })));
        next = Math.max(next, index);
      }
      const operation = path.operations[index];
      assert(operation !== undefined, 'an index of the same list');
      found.push({ at, step: this.#eventStep(operation, event) });
    }
    return found;
  }

  #eventStep(operation: Operation, event: PlacedEvent['event']): ExploreStep {
    const { map } = this.#input;
    const thread = 'hypervisor';
    if (operation.kind === 'tlbi') {
      assert(event.kind === 'tlbi', 'a TLBI is delivered');
      const detail = `${describeTlbi(operation.tlbi)} takes effect at vcpu ${event.receiver - 1}`;
      return { thread, op: 'tlbi', detail };
    }
    if (operation.kind === 'write') {
      const { location, value, release } = operation;
      const what = `${placeName(map, location)} = ${valueText(map, location, value)}`;
      if (location === map.lock) return { thread, op: 'unlock', detail: what };
      if (value === REUSED && location !== TARGET) {
        return { thread, op: 'write', detail: `${what} (the page was freed)` };
      }
      return { thread, op: release ? 'write-release' : 'write', detail: what };
    }
    assert(operation.kind === 'cas', 'only stores and TLBIs are events');
    const { location, desired } = operation;
    const detail = `${placeName(map, location)} = ${valueText(map, location, desired)}`;
    return { thread, op: 'compare-exchange', detail };
  }
}

function isAnswered({ kind }: Operation): boolean {
  return kind === 'read' || kind === 'cas';
}

function isBroadcastTo(input: ScheduleInput, operation: Operation): boolean {
  return operation.kind === 'tlbi' && isBroadcast(operation.tlbi.kind) && input.receivers > 0;
}

function barrierStep(operation: Operation): ExploreStep | null {
  const thread = 'hypervisor';
  if (operation.kind === 'dsb') {
    return { thread, op: 'dsb', detail: `DSB ${operation.dsb.toUpperCase()}` };
  }
  return operation.kind === 'isb' ? { thread, op: 'isb', detail: 'ISB' } : null;
}

function guestSteps(input: ScheduleInput, trail: TrailStep): TimedStep[] {
  const thread = `vcpu ${input.vcpu}`;
  const { target } = trail.node;
  if (target.kind === 'location') {
    const value = trail.result.kind === 'value' ? input.values[trail.result.value] : undefined;
    assert(value !== undefined, 'the lock is read, and reading it does not fault');
    const text = valueText(input.map, target.location, value);
    const detail = `${placeName(input.map, target.location)} is ${text}; DMB LD`;
    return [{ at: trail.view, step: { thread, op: 'read', detail } }];
  }
  const access = input.accesses[target.address];
  assert(access !== undefined && trail.walk !== null, 'an access is translated');
  const walks = walkSteps(input, access, trail.walk, trail.view);
  return [...walks, { at: trail.view, step: accessStep(input, access, trail) }];
}

/** Entries that stood at one time are read in one step; what was read before stays in the TLB. */
function walkSteps(input: ScheduleInput, access: Access, walk: Walk, view: number): TimedStep[] {
  const { map, values } = input;
  const thread = `vcpu ${input.vcpu}`;
  return walk.paths.flatMap(({ path }) => {
    const groups: { at: number; texts: string[]; until: number }[] = [];
    let from = 0;
    for (const { entry, span } of path.entries) {
      from = Math.max(from, span.from);
      const value = values[span.value];
      assert(value !== undefined, `no value ${span.value}`);
      const text = `${placeName(map, entry)} is ${valueText(map, entry, value)}`;
      const group = groups.at(-1);
      if (group === undefined || from >= group.until) {
        groups.push({ at: from, texts: [text], until: span.until });
      } else {
        group.at = from;
        group.texts.push(text);
        group.until = Math.min(group.until, span.until);
      }
    }
    return groups.map(({ at, texts, until }) => {
      // Nothing is gained by reading it earlier than the access needs it.
      const late = Math.min(Math.max(at, view), until - 1);
      return {
        at: late,
        step: { thread, op: 'walk', detail: `page ${access.page}: ${texts.join(', ')}` },
      };
    });
  });
}

function accessStep(input: ScheduleInput, access: Access, trail: TrailStep): ExploreStep {
  const thread = `vcpu ${input.vcpu}`;
  const what = `${access.kind} page ${access.page}`;
  const { leaves, faults } = input.translation;
  if (trail.result.kind === 'fault') {
    const fault = faults[trail.result.fault];
    assert(fault !== undefined, 'faults have names');
    return { thread, op: 'fault', detail: `${what}: ${fault.kind}, level ${fault.level}` };
  }
  const { value } = trail.result;
  const leaf = leaves[access.kind === 'load' ? value : input.translation.leafAt(value)];
  assert(leaf !== undefined, 'leaves have names');
  const through =
    leaf.kind === 'leaf'
      ? describeDescriptor(GEOMETRY, leaf.d, leaf.level)
      : leaf.kind === 'freed'
        ? 'an entry of a freed table'
        : 'two TLB entries mixed';
  return { thread, op: access.kind, detail: `page ${access.page} through ${through}` };
}
