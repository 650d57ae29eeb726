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
import { assert, assertNever } from '../../../arch/assert.ts';
import type { ExploreStep } from '../../../result/explore.ts';
import type { PlacedEvent, TrailStep, Walk } from '../../model/index.ts';
import { guestName, leafText, placeName, valueText } from '../machine/describe.ts';
import type { Access } from '../machine/guest.ts';
import { type HostInput, HostSteps, type HostWay } from './host-steps.ts';
import { LOCK_FREE, type MemoryMap } from '../machine/memory-map.ts';
import { LOCK_NOT_SEEN, LOCK_SEEN, UPDATED, walkReason } from './reasons.ts';
import type { TimedStep } from './timed-step.ts';
import type { Path } from '../run/unroll.ts';
import type { Leaf, RegionTranslation } from '../machine/translation.ts';

export interface Schedule {
  readonly steps: readonly ExploreStep[];
  /** Steps without barriers. */
  readonly length: number;
  /** Operations of the hypervisor's side that take effect only behind the last step; empty: all is shown. */
  readonly toCome: readonly ExploreStep[];
  /** Of each thread of the hypervisor's side: where its operations stand, for what is said of them. */
  readonly shown: readonly ShownWay[];
}

export interface ShownWay {
  readonly path: Path;
  /** By index of the operation: the number of its first step, from 1. */
  readonly numbers: ReadonlyMap<number, number>;
}

export interface ScheduleInput extends HostInput {
  /** Of the hypervisor's side: one, or two at once. */
  readonly hosts: readonly HostWay[];
  readonly translation: RegionTranslation;
  readonly guests: readonly GuestTrail[];
  /** Of all vCPUs, by address. */
  readonly accesses: readonly Access[];
  /** Those that a vCPU looks at. */
  readonly locks: readonly number[];
  /**
   * `whole`: the hypervisor's program to its end. A position: its events up to there, or to the last
   * access if that is later.
   */
  readonly shownTo: number | 'whole';
}

/** What one vCPU does. */
export interface GuestTrail {
  readonly vcpu: number;
  /** Its accesses and its load of the lock, in program order, up to the last one to show. */
  readonly trail: readonly TrailStep[];
  /** By access: why it may, or may not, have come out like this. */
  readonly whys: readonly string[];
}

export function scheduleOf(input: ScheduleInput): Schedule {
  const guest = input.guests.flatMap((mine) => guestSteps(input, mine));
  const trails = input.guests.flatMap(({ trail }) => trail);
  const accessed = Math.max(0, ...guest.map(({ at }) => at), ...trails.map(updatedAt));
  const isWhole = input.shownTo === 'whole';
  const shownTo = input.shownTo === 'whole' ? input.order.length : input.shownTo;
  const until = Math.max(accessed, shownTo);
  const host = input.hosts.flatMap((way) => {
    const hypervisor = new HostSteps(input, way);
    const timed = isWhole ? hypervisor.whole() : hypervisor.upTo(until);
    return timed.map((each) => ({ ...each, way }));
  });
  const numbers = new Map(input.hosts.map((way) => [way, new Map<number, number>()]));
  const steps: ExploreStep[] = [];
  // A read of what a walker has stored stands below it.
  const updates = updateSteps(input);
  let barriers = 0;
  for (let at = 0; at <= until; at++) {
    for (const timed of [...updates, ...host, ...guest] as readonly OfWay[]) {
      if (timed.at !== at) continue;
      steps.push(timed.step);
      if (timed.way !== undefined) noteNumber(numbers.get(timed.way), timed.index, steps.length);
      if (isBarrier(timed.step)) barriers++;
    }
  }
  const shown = input.hosts.map((way) => ({
    path: way.path,
    numbers: numbers.get(way) ?? new Map<number, number>(),
  }));
  const toCome = isWhole
    ? []
    : input.hosts.flatMap((way) => new HostSteps(input, way).after(until));
  return { steps, length: steps.length - barriers, toCome, shown };
}

/** `way`: of a thread of the hypervisor's side, whose it is. */
type OfWay = TimedStep & { readonly way?: HostWay };

/** A TLBI that several vCPUs take is cited where the first of them does. */
function noteNumber(
  numbers: Map<number, number> | undefined,
  index: number | undefined,
  number: number,
): void {
  if (index === undefined || numbers === undefined || numbers.has(index)) return;
  numbers.set(index, number);
}

/** Position of the update that the walk of an access makes; 0: it makes none. */
function updatedAt({ walk }: TrailStep): number {
  if (walk?.result.kind !== 'mapped' || walk.result.update === undefined) return 0;
  return walk.paths[0]?.path.entries.at(-1)?.span.until ?? 0;
}

/** What walkers store to descriptors, those of vCPUs that are not shown too. */
function updateSteps(input: ScheduleInput): TimedStep[] {
  const { map, values, order } = input;
  return order.flatMap(({ thread, event }, i) => {
    if (event.kind !== 'write' || event.hardware !== true) return [];
    const value = values[event.value];
    assert(value !== undefined, `no value ${event.value}`);
    const detail = `${placeName(map, event.location)} = ${valueText(map, event.location, value)}`;
    const step = { thread: guestName(input.vcpus, thread - 1), op: 'update', detail, why: UPDATED };
    return [{ at: i + 1, step }];
  });
}

/**
 * No schedule of this trail is shorter: the hypervisor's events up to its last access, those of a second
 * one, whose thread comes behind those of all `receivers`, the accesses, and a walk for each. Schedules
 * are many and take long to make; most need not be.
 */
export function leastLength(
  order: readonly PlacedEvent[],
  { until, steps }: Extent,
  receivers: number,
): number {
  let length = steps;
  for (let i = 0; i < until; i++) {
    const thread = order[i]?.thread ?? 0;
    if (thread === 0 || thread > receivers) length++;
  }
  return length;
}

/** How far into an order a trail goes: position of its last access, and steps of the vCPU at least. */
export interface Extent {
  readonly until: number;
  readonly steps: number;
}

export function extentOf(trail: readonly TrailStep[]): Extent {
  let until = 0;
  let steps = 0;
  for (const { view, walk } of trail) {
    until = Math.max(until, view);
    steps += walk === null ? 1 : 2;
  }
  return { until, steps };
}

function isBarrier({ op }: ExploreStep): boolean {
  return op === 'dsb' || op === 'dmb' || op === 'isb';
}

function guestSteps(input: ScheduleInput, { vcpu, trail, whys }: GuestTrail): TimedStep[] {
  let access = 0;
  return trail.flatMap((step) => {
    if (step.node.target.kind === 'location') return [lockStep(input, vcpu, step)];
    return accessSteps(input, vcpu, step, whys[access++]);
  });
}

function lockStep(input: ScheduleInput, vcpu: number, step: TrailStep): TimedStep {
  const { target } = step.node;
  const value = step.result.kind === 'value' ? input.values[step.result.value] : undefined;
  assert(target.kind === 'location' && value !== undefined, 'the lock is read without a fault');
  const found = `${placeName(input.map, target.location)} is ${valueText(input.map, target.location, value)}`;
  const isFree = value === LOCK_FREE;
  // Of two holds the barrier stands behind the second.
  const isLast = target.location === input.locks.at(-1);
  const detail = isFree && isLast ? `${found}; DMB LD` : found;
  const why = isFree ? LOCK_SEEN : LOCK_NOT_SEEN;
  return { at: step.view, step: { thread: guestName(input.vcpus, vcpu), op: 'read', detail, why } };
}

function accessSteps(
  input: ScheduleInput,
  vcpu: number,
  trail: TrailStep,
  why: string | undefined,
): TimedStep[] {
  const { target } = trail.node;
  assert(target.kind === 'address' && trail.walk !== null, 'an access is translated');
  const access = input.accesses[target.address];
  assert(access !== undefined, 'every address is that of an access');
  const step = { ...accessStep(input, vcpu, access, trail), ...(why === undefined ? {} : { why }) };
  return [...walkSteps(input, vcpu, access, trail.walk, trail.view), { at: trail.view, step }];
}

/** Entries that stood at one time are read in one step; what was read before stays in the TLB. */
function walkSteps(
  input: ScheduleInput,
  vcpu: number,
  access: Access,
  walk: Walk,
  view: number,
): TimedStep[] {
  const { map, values } = input;
  const thread = guestName(input.vcpus, vcpu);
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
      const detail = `page ${access.page}: ${texts.join(', ')}`;
      return { at: late, step: { thread, op: 'walk', detail, why: walkReason(late < view) } };
    });
  });
}

function accessStep(
  input: ScheduleInput,
  vcpu: number,
  access: Access,
  trail: TrailStep,
): ExploreStep {
  const thread = guestName(input.vcpus, vcpu);
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
  return {
    thread,
    op: access.kind,
    detail: `page ${access.page} through ${throughText(leaf, input.map)}`,
  };
}

function throughText(leaf: Leaf, map: MemoryMap): string {
  switch (leaf.kind) {
    case 'leaf': {
      const text = leafText(leaf.d, leaf.level, map.geometry);
      return leaf.late === true ? `${text}, which takes effect only now` : text;
    }
    case 'freed':
      return 'an entry of a freed table';
    case 'unfilled':
      return 'an entry of a table that is not filled yet';
    case 'amalgam':
      return 'two TLB entries mixed';
    case 'switched':
      return "the host's table, which a walk under the VM's VMID has read";
    case 'stray':
      return 'what lies where no table page is';
    default:
      return assertNever(leaf);
  }
}
