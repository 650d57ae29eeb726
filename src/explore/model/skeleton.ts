/**
 * The events a thread can contribute to the global order, and which of them must come before which.
 *
 * Every path through the tree ends with a list of events. Paths with the same list share one
 * *skeleton*. The rules of rules.ts are run over sets of own events instead of positions, which
 * gives for each event the own events that must precede it whatever other threads do. DSBs make
 * this order nearly total, and that is what keeps the number of global orders small.
 */
import { assert } from '../../arch/assert.ts';
import { stackOf, zeros } from './cut.ts';
import type { ModelOptions } from './options.ts';
import type {
  Node,
  OrderEvent,
  ReadNode,
  RmwNode,
  System,
  ThreadProgram,
  WriteNode,
} from './program.ts';
import { EPOCH, type Frame, layoutOf, Rules, ToldApart } from './rules.ts';

export interface Skeleton {
  /** In program order. */
  readonly events: readonly OrderEvent[];
  /** `before[e]`: bit mask of the events that must precede event `e`. */
  readonly before: readonly number[];
  /** What every one of its paths reads. Absent: nobody looked. */
  readonly reads?: ReadsOfAll;
}

/** Values that have to be there for some path to go through. */
export interface ReadsOfAll {
  /** Once each; in `replaced` those that an atomic access replaced, as often as that happened. */
  readonly values: readonly number[];
  readonly replaced: readonly number[];
}

/** Bits of a mask that stay positive in 32-bit arithmetic. */
const EVENTS_MAX = 30;

const union = (a: number, b: number): number => a | b;

export class PathTooLong extends Error {
  override readonly name = 'PathTooLong';
}

/** The skeletons of one thread. Throws `PathTooLong` if a path has more than `eventsMax` events. */
export function skeletonsOf(
  system: System,
  options: ModelOptions,
  thread: number,
  eventsMax: number,
  toldApart?: ToldApart,
): readonly Skeleton[] {
  const program = system.threads[thread];
  assert(program !== undefined, `no thread ${thread}`);
  assert(eventsMax <= EVENTS_MAX, `an order has at most ${EVENTS_MAX} events`);
  const asked = `${textOf(options)} ${eventsMax} ${system.isSparse}`;
  const known = collected.get(program.root) ?? new Map<string, Collected>();
  collected.set(program.root, known);
  const found = known.get(asked) ?? collect(system, options, program, eventsMax);
  known.set(asked, found);
  toldApart?.add(found.toldApart);
  return found.skeletons;
}

interface Collected {
  readonly skeletons: readonly Skeleton[];
  readonly toldApart: ToldApart;
}

/**
 * By the tree, and all else that they depend on: beside every guest program a hypervisor's thread is one and
 * the same.
 */
const collected = new WeakMap<Node, Map<string, Collected>>();

/** One set of options is for many searches. */
const texts = new WeakMap<ModelOptions, string>();

function textOf(options: ModelOptions): string {
  const text = texts.get(options) ?? JSON.stringify(options);
  texts.set(options, text);
  return text;
}

function collect(
  system: System,
  options: ModelOptions,
  { root, reads }: ThreadProgram,
  eventsMax: number,
): Collected {
  const toldApart = new ToldApart();
  const layout = layoutOf(system.initial.length, reads, system.translation.offsets);
  const rules = new Rules(options, layout, union, toldApart);
  const collector = new Collector(system, rules, eventsMax, stackOf(layout.size));
  collector.walk(root, zeros(layout.size), [], []);
  const found = [...collector.found.values()];
  const skeletons = system.isSparse
    ? found
    : found.map(({ events, before }) => ({ events, before }));
  return { skeletons, toldApart };
}

interface Found {
  events: OrderEvent[];
  before: number[];
  reads: ReadsOfAll;
}

class Collector {
  readonly found = new Map<string, Found>();
  /** Values the path has read, and of those the ones it replaced at once. */
  readonly #values: number[] = [];
  readonly #replaced: number[] = [];
  readonly #system: System;
  readonly #rules: Rules;
  readonly #eventsMax: number;
  /** By depth: one for each branch that is open. */
  readonly #frames: Frame[];
  #open = 0;

  constructor(system: System, rules: Rules, eventsMax: number, frames: Frame[]) {
    this.#system = system;
    this.#rules = rules;
    this.#eventsMax = eventsMax;
    this.#frames = frames;
  }

  walk(node: Node, s: Frame, events: OrderEvent[], before: number[]): void {
    if (events.length > this.#eventsMax) {
      throw new PathTooLong(`a path has more than ${this.#eventsMax} events`);
    }
    switch (node.kind) {
      case 'dmb':
        this.#rules.dmb(s, node.covers);
        return this.walk(node.next, s, events, before);
      case 'dsb':
        this.#rules.dsb(s, node.covers);
        return this.walk(node.next, s, events, before);
      case 'isb':
        this.#rules.isb(s);
        return this.walk(node.next, s, events, before);
      case 'exception':
        this.#rules.synchronise(s);
        return this.walk(node.next, s, events, before);
      case 'branch':
        this.#rules.branch(s, node.condition);
        return this.walk(node.next, s, events, before);
      case 'tlbi': {
        const floor = this.#rules.tlbiFloor(s, node.address);
        const instance = events.length;
        const epoch = this.#rules.options.tlbi === 'ok' ? 0 : (s[EPOCH] as number);
        const more: OrderEvent[] = [];
        for (const [i, receiver] of node.receivers.entries()) {
          more.push({ kind: 'tlbi', op: node.op, receiver, instance, epoch });
          this.#rules.didTlbi(s, 1 << (instance + i), node.isAwaited);
        }
        const floors = [...before, ...more.map(() => floor)];
        return this.walk(node.next, s, [...events, ...more], floors);
      }
      case 'read':
        return this.#updated(node, s, events, before, this.#read.bind(this, node));
      case 'rmw':
        return this.#updated(node, s, events, before, this.#rmw.bind(this, node));
      case 'write':
        return this.#updated(node, s, events, before, this.#write.bind(this, node));
      case 'choice':
        for (const alternative of node.alternatives) {
          this.#branch(alternative, this.#copyOf(s), events, before);
        }
        return;
      case 'end':
        return this.#record(events, before);
    }
  }

  /** Of this frame, for one branch: until it is left. */
  #copyOf(s: Frame): Frame {
    const t = (this.#frames[this.#open++] ??= zeros(s.length));
    t.set(s);
    return t;
  }

  /** Through the last copy made, and leaves it. */
  #branch(node: Node, t: Frame, events: OrderEvent[], before: number[]): void {
    this.walk(node, t, events, before);
    this.#open--;
  }

  #faults(
    node: ReadNode | WriteNode | RmwNode,
    s: Frame,
    events: OrderEvent[],
    before: number[],
  ): void {
    for (const next of node.faults.values()) {
      const t = this.#copyOf(s);
      this.#rules.speculated(t, node.address, this.#walkView(node, s));
      this.#branch(next, t, events, before);
    }
  }

  /** A walk is at least after its floor; which entry it used is open. */
  #walkView(node: ReadNode | WriteNode | RmwNode, s: Frame): number {
    return node.target.kind === 'address' ? this.#rules.walkFloor(s, node.address) : 0;
  }

  /** The access as it is, and behind each update its walk may make. */
  #updated(
    node: ReadNode | WriteNode | RmwNode,
    s: Frame,
    events: OrderEvent[],
    before: number[],
    access: (s: Frame, events: OrderEvent[], before: number[]) => void,
  ): void {
    this.#faults(node, s, events, before);
    access(s, events, before);
    for (const { entry, value } of node.updates ?? []) {
      const t = this.#copyOf(s);
      const floor = this.#rules.updateFloor(t, node.address, this.#walkView(node, t));
      this.#rules.didUpdate(t, 1 << events.length);
      const event: OrderEvent = { kind: 'write', location: entry, value, hardware: true };
      access(t, [...events, event], [...before, floor]);
      this.#open--;
    }
  }

  #read(node: ReadNode, s: Frame, events: OrderEvent[], before: number[]): void {
    const walk = this.#walkView(node, s);
    const view = this.#rules.readFloor(s, node) | walk;
    for (const [value, next] of node.next) {
      const t = this.#copyOf(s);
      this.#rules.speculated(t, node.address, walk);
      this.#rules.didRead(t, node, view, 0);
      this.#values.push(value);
      this.#branch(next, t, events, before);
      this.#values.pop();
    }
  }

  #write(node: WriteNode, s: Frame, events: OrderEvent[], before: number[]): void {
    const walk = this.#walkView(node, s);
    const bit = 1 << events.length;
    for (const [location, next] of node.next) {
      const t = this.#copyOf(s);
      const floor = this.#rules.writeFloor(t, node, location) | walk;
      this.#rules.speculated(t, node.address, walk);
      if (node.value === null) {
        this.#branch(next, t, events, before);
        continue;
      }
      if (node.unseen === true) {
        this.#rules.didWrite(t, node, location, floor);
        this.#branch(next, t, events, before);
        continue;
      }
      this.#rules.didWrite(t, node, location, bit);
      const event: OrderEvent = { kind: 'write', location, value: node.value };
      this.#branch(next, t, [...events, event], [...before, floor]);
    }
  }

  #rmw(node: RmwNode, s: Frame, events: OrderEvent[], before: number[]): void {
    const walk = this.#walkView(node, s);
    const view = this.#rules.readFloor(s, node) | walk;
    const bit = 1 << events.length;
    for (const [read, { value, next }] of node.next) {
      this.#values.push(read);
      if (value !== null) this.#replaced.push(read);
      for (const [location, after] of next) {
        const t = this.#copyOf(s);
        this.#rules.speculated(t, node.address, walk);
        this.#rules.didRead(t, node, view, 0);
        if (value === null) {
          this.#branch(after, t, events, before);
          continue;
        }
        const floor = this.#rules.writeFloor(t, node, location) | view;
        this.#rules.didRmw(t, node, location, view, bit);
        const event: OrderEvent = { kind: 'write', location, value };
        this.#branch(after, t, [...events, event], [...before, floor]);
      }
      this.#values.pop();
      if (value !== null) this.#replaced.pop();
    }
  }

  /** Paths with the same events: only what every one of them demands is unavoidable. */
  #record(events: OrderEvent[], before: number[]): void {
    assert(this.#system.threads.length > 0, 'a system has threads');
    const key = events.map(keyOf).join(' ');
    const reads = {
      values: [...new Set(this.#values)],
      replaced: [...this.#replaced],
    };
    const known = this.found.get(key);
    if (!known) {
      this.found.set(key, { events, before, reads });
      return;
    }
    known.reads = {
      values: inBoth(known.reads.values, reads.values),
      replaced: inBoth(known.reads.replaced, reads.replaced),
    };
    known.before = known.before.map((mask, i) => mask & (before[i] as number));
  }
}

/** What is in both lists, as often as it is in the one that has it less often. */
function inBoth(left: readonly number[], right: readonly number[]): number[] {
  const rest = [...right];
  return left.filter((value) => {
    const at = rest.indexOf(value);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function keyOf(event: OrderEvent): string {
  if (event.kind === 'tlbi') return `t${event.op}@${event.receiver}.${event.epoch}`;
  return `${event.hardware ? 'u' : 'w'}${event.location}=${event.value}`;
}
