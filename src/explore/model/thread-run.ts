/**
 * One thread against one global order: which outcomes can it have?
 *
 * Its own events stand at fixed positions ("promised up front"), so every read may already see them
 * where they are in the order, and what is left is to check that each event's position lies beyond
 * what the rules demand, and to try every value a read may return and every walk an access may use.
 * A read takes the lowest view it can: views are only ever lower bounds, so a higher one allows
 * nothing more.
 */
import { assert } from '../../arch/assert.ts';
import { stackOf, zeros } from './cut.ts';
import type { ModelOptions } from './options.ts';
import { type GlobalOrder, NEVER } from './order.ts';
import type {
  HardwareUpdate,
  Node,
  ReadNode,
  RmwNode,
  System,
  Target,
  TlbiNode,
  WriteNode,
} from './program.ts';
import { type Frame, layoutOf, Rules, type ToldApart } from './rules.ts';
import { type Walk, Walks } from './walks.ts';

const max = (a: number, b: number): number => (a > b ? a : b);

/** An access as one way through the tree made it: with which walk, when, and what came of it. */
export interface TrailStep {
  readonly node: ReadNode | WriteNode | RmwNode;
  /** Null where no translation was needed. */
  readonly walk: Walk | null;
  /** Earliest position at which it can have happened. */
  readonly view: number;
  readonly result:
    /** Value read; of a write the location it went to. */
    | { readonly kind: 'value'; readonly value: number }
    | { readonly kind: 'fault'; readonly fault: number };
}

/** An access with its walk behind it. */
interface Translated {
  readonly location: number;
  /** The walk's view. */
  readonly view: number;
  /** Position the access has to stay below. */
  readonly waits: number;
  readonly walk: Walk | null;
  /** Own events behind it: one more than before if the walker updated the entry. */
  readonly done: number;
}

/** Called at each end of the tree with the accesses on the way there, if someone wants to know. */
export type OnEnd = (outcome: number, trail: readonly TrailStep[]) => void;

/** Longest path of one tree; the unroller's bounds keep paths far below it. */
const DEPTH_MAX = 512;

export class ThreadRun {
  /** Outcomes found for the order last given to `run`, each with the number of ways there. */
  readonly outcomes = new Map<number, number>();
  /** Nodes visited since the start. */
  visited = 0;

  readonly #system: System;
  readonly #options: ModelOptions;
  readonly #thread: number;
  readonly #rules: Rules;
  readonly #frames: Frame[];
  readonly #trail: TrailStep[] = [];
  readonly #onEnd: OnEnd | null;
  #order!: GlobalOrder;
  #walks!: Walks;
  #positions: readonly number[] = [];
  /** Nobody asks for more than whether there is an outcome. */
  #isOneEnough = false;

  constructor(
    system: System,
    options: ModelOptions,
    thread: number,
    onEnd: OnEnd | null = null,
    toldApart?: ToldApart,
  ) {
    const program = system.threads[thread];
    assert(program !== undefined, `no thread ${thread}`);
    const layout = layoutOf(system.initial.length, program.reads, system.translation.offsets);
    this.#system = system;
    this.#options = options;
    this.#thread = thread;
    this.#onEnd = onEnd;
    this.#rules = new Rules(options, layout, max, toldApart);
    // Who is told of an end may run another thread meanwhile.
    this.#frames = onEnd === null ? stackOf(layout.size) : [];
  }

  get options(): ModelOptions {
    return this.#options;
  }

  /** Fills `outcomes`; empty if this order is impossible for the thread. */
  run(order: GlobalOrder): void {
    const program = this.#system.threads[this.#thread];
    assert(program !== undefined, 'checked by the constructor');
    this.outcomes.clear();
    this.#order = order;
    this.#walks = new Walks(this.#system, this.#options, order, this.#thread);
    this.#positions = order.positions;
    const frame = this.#frame(0);
    frame.fill(0);
    this.#step(program.root, 0, 0);
  }

  /** Has the thread a way through some order that `order`, an open one, may become? False: none. */
  mayGoOn(order: GlobalOrder): boolean {
    this.#isOneEnough = true;
    this.run(order);
    this.#isOneEnough = false;
    return this.outcomes.size > 0;
  }

  /** One way is all that is asked for, and is found. */
  #isEnough(): boolean {
    return this.#isOneEnough && this.outcomes.size > 0;
  }

  /**
   * The walker's update is the very next write to the entry after the one its walk read, and done
   * before a TLBI is complete that waits for the walk (R_LXHLD).
   */
  #isInTime(walk: Walk, position: number): boolean {
    const read = walk.paths[0]?.path.entries.at(-1);
    assert(read !== undefined, 'a walk reads entries');
    const isNext = this.#order.maySame(read.span.until, position) || !this.#options.updatesAtomic;
    return (
      isNext &&
      !this.#order.isPast(walk.from, position) &&
      !this.#order.isPast(position, walk.waits)
    );
  }

  #frame(depth: number): Frame {
    assert(depth < DEPTH_MAX, 'a path is longer than the model supports');
    const known = this.#frames[depth];
    if (known) return known;
    const made = zeros(this.#rules.layout.size);
    this.#frames[depth] = made;
    return made;
  }

  /** A copy of frame `depth` to go on with in one branch. */
  #branchFrame(depth: number): Frame {
    const frame = this.#frame(depth + 1);
    frame.set(this.#frame(depth));
    return frame;
  }

  /**
   * Runs from `node` with the state in frame `depth`; `done` own events are behind it. Straight
   * steps loop.
   */
  #step(from: Node, depth: number, done: number): void {
    const s = this.#frame(depth);
    let node = from;
    for (;;) {
      this.visited++;
      switch (node.kind) {
        case 'dmb':
          this.#rules.dmb(s, node.covers);
          break;
        case 'dsb':
          this.#rules.dsb(s, node.covers);
          break;
        case 'isb':
          this.#rules.isb(s);
          break;
        case 'exception':
          this.#rules.synchronise(s);
          break;
        case 'branch':
          this.#rules.branch(s, node.condition);
          break;
        case 'tlbi':
          if (!this.#tlbi(s, node, done)) return;
          done += node.receivers.length;
          break;
        case 'read':
          this.#read(node, depth, done);
          return;
        case 'write':
          this.#write(node, depth, done);
          return;
        case 'rmw':
          this.#read(node, depth, done);
          return;
        case 'choice':
          for (const alternative of node.alternatives) {
            if (this.#isEnough()) return;
            this.#branchFrame(depth);
            this.#step(alternative, depth + 1, done);
          }
          return;
        case 'end':
          if (done === this.#positions.length) this.#record(node.outcome);
          return;
      }
      node = node.next;
    }
  }

  #record(outcome: number): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    this.#onEnd?.(outcome, this.#trail);
  }

  #tlbi(s: Frame, node: TlbiNode, done: number): boolean {
    const floor = this.#rules.tlbiFloor(s, node.address);
    for (const [i, receiver] of node.receivers.entries()) {
      const position = this.#positions[done + i];
      const event = this.#order.at(position ?? 0)?.event;
      if (position === undefined || event?.kind !== 'tlbi') return false;
      if (event.op !== node.op || event.receiver !== receiver) return false;
      if (this.#order.isPast(floor, position)) return false;
      this.#rules.didTlbi(s, position, node.isAwaited);
    }
    return true;
  }

  /**
   * Tries every walk the access may use. `access` is called with a frame in which the walk and its
   * update have happened.
   */
  #translate(
    node: ReadNode | WriteNode | RmwNode,
    depth: number,
    done: number,
    access: (translated: Translated) => void,
  ): void {
    const target: Target = node.target;
    if (target.kind === 'location') {
      this.#branchFrame(depth);
      access({ location: target.location, view: 0, waits: NEVER, walk: null, done });
      return;
    }
    const rules = this.#rules;
    const order = this.#order;
    const s = this.#frame(depth);
    const { translation } = this.#system;
    const offset = translation.offsetOf(target.address);
    const coherent = this.#options.translationCoherence;
    const earlier = s[rules.layout.tcoh + offset] as number;
    for (const walk of this.#walks.of(target.address, node.kind !== 'read')) {
      if (this.#isEnough()) return;
      if (walk.result.kind === 'fault') {
        const floor = rules.faultWalkFloor(s, node.address, walk.result.cacheable);
        const start = max(floor, walk.from);
        const view = max(start, rules.faultFloor(s));
        if (order.isPast(start, walk.usable) || order.isPast(view, walk.waits)) continue;
        const next = node.faults.get(walk.result.fault);
        assert(next !== undefined || order.isOpen, 'the tree has every fault the tables can give');
        if (next === undefined) continue;
        const t = this.#branchFrame(depth);
        for (const entry of walk.entries) rules.walked(t, entry, start);
        rules.speculated(t, node.address, start);
        const result = { kind: 'fault', fault: walk.result.fault } as const;
        this.#trail.push({ node, walk, view, result });
        this.#step(next, depth + 1, done);
        this.#trail.pop();
        continue;
      }
      const view = max(rules.walkFloor(s, node.address), walk.from);
      if (order.isPast(view, walk.usable) || order.isPast(view, walk.waits)) continue;
      if (coherent && order.isPast(earlier, walk.waits)) continue;
      const t = this.#branchFrame(depth);
      const { location, update } = walk.result;
      if (update && !this.#update(t, node, update, walk, view, done)) continue;
      for (const entry of walk.entries) rules.walked(t, entry, view);
      rules.translated(t, offset, view);
      access({ location, view, waits: walk.waits, walk, done: update ? done + 1 : done });
    }
  }

  #update(
    s: Frame,
    node: ReadNode | WriteNode | RmwNode,
    { entry, value }: HardwareUpdate,
    walk: Walk,
    view: number,
    done: number,
  ): boolean {
    const position = this.#positions[done];
    if (position === undefined || !this.#order.isHardware(position)) return false;
    const event = this.#order.at(position)?.event;
    if (event?.kind !== 'write' || event.location !== entry || event.value !== value) return false;
    if (!this.#isInTime(walk, position)) return false;
    if (this.#order.isPast(this.#rules.updateFloor(s, node.address, view), position)) return false;
    this.#rules.didUpdate(s, position);
    return true;
  }

  #read(node: ReadNode | RmwNode, depth: number, before: number): void {
    const rules = this.#rules;
    const { cohIndex, fwdIndex, fwdView, fwdPick, fwdRmw } = rules.layout;
    this.#translate(node, depth, before, ({ location, view: walk, waits, walk: by, done }) => {
      // The walk's effects are in frame depth + 1; each value read continues in depth + 2.
      const s = this.#frame(depth + 1);
      const own = s[fwdIndex + location] as number;
      // dob: a load from an own store waits for that store's address and data.
      let floor = max(max(rules.readFloor(s, node), walk), s[fwdView + location] as number);
      // aob: a load-acquire from an own atomic access waits for what that one read.
      if (node.order !== 'plain') floor = max(floor, s[fwdRmw + location] as number);
      const order = this.#order;
      const writes = order.writesOf(location);
      for (let i = 0; i < writes.length && !this.#isEnough(); i++) {
        const write = writes[i] as number;
        if (write <= order.settled && write < (s[cohIndex + location] as number)) continue;
        if (this.#isUndone(write, done)) continue;
        const forwarded = own !== 0 && write === own && this.#options.memory !== 'sc';
        const view = forwarded ? floor : max(floor, write);
        if (order.isPast(view, waits)) continue;
        // From-read: the value has to be the current one, so the next write is still to come.
        if (order.isPast(view, writes[i + 1] ?? NEVER)) continue;
        const value = order.valueAt(location, write);
        if (!this.#leadsOn(node, value, write, location, done)) continue;
        const t = this.#branchFrame(depth + 1);
        rules.speculated(t, node.address, walk);
        rules.didRead(t, node, view, s[fwdPick + location] as number);
        rules.coherent(
          t,
          location,
          this.#isOwnUpdate(write) ? this.#writeBefore(writes, i) : write,
          view,
        );
        if (node.kind === 'read' && node.exclusive) {
          t[rules.layout.monitor] = location;
          t[rules.layout.monitor + 1] = write;
        }
        this.#trail.push({ node, walk: by, view, result: { kind: 'value', value } });
        if (node.kind === 'rmw') {
          const interval = { from: view, follower: writes[i + 1] ?? NEVER, waits };
          this.#rmw(node, value, location, interval, depth + 2, done);
        } else {
          const next = node.next.get(value);
          if (next !== undefined) this.#step(next, depth + 2, done);
        }
        this.#trail.pop();
      }
    });
  }

  /** Is there anything behind it if `value` is read, which `write` has left? */
  #leadsOn(
    node: ReadNode | RmwNode,
    value: number,
    write: number,
    location: number,
    done: number,
  ): boolean {
    if (node.kind === 'rmw') {
      const branch = node.next.get(value);
      // A write of a value that no execution can hold has no place in the tree.
      if (branch?.next.has(location) !== true) return false;
      return branch.value === null || this.#isStore(this.#positions[done], location, branch.value);
    }
    if (node.next.has(value)) return true;
    // An update where no walk can have made it: the thread of that walk refuses the order.
    const isMissing =
      this.#system.isSparse === true || this.#order.isHardware(write) || node.awaits === true;
    assert(isMissing || this.#order.isOpen, 'the tree has every value memory can hold');
    return false;
  }

  /** The write of an atomic access: it has to be the very next one in coherence order. */
  #rmw(
    node: RmwNode,
    value: number,
    location: number,
    { from, follower, waits }: { from: number; follower: number; waits: number },
    depth: number,
    done: number,
  ): void {
    const s = this.#frame(depth);
    const branch = node.next.get(value);
    const next = branch?.next.get(location);
    assert(branch !== undefined && next !== undefined, 'it leads on');
    if (branch.value === null) {
      this.#step(next, depth, done);
      return;
    }
    const position = this.#positions[done] as number;
    if (!this.#order.maySame(position, follower)) return;
    const floor = max(this.#rules.writeFloor(s, node, location), from);
    if (this.#order.isPast(floor, position) || this.#order.isPast(position, waits)) return;
    this.#rules.didRmw(s, node, location, from, position);
    this.#step(next, depth, done + 1);
  }

  #stepAfter(node: WriteNode, location: number, depth: number, done: number): void {
    const next = node.next.get(location);
    const { isOpen } = this.#order;
    const isKnown = next !== undefined || isOpen || node.never?.has(location) === true;
    assert(isKnown, 'the tree has every location the tables can map');
    if (next !== undefined) this.#step(next, depth, done);
  }

  /** The latest write that is certain to come before the `i`-th in coherence order. */
  #writeBefore(writes: readonly number[], i: number): number {
    let before = i - 1;
    while (before > 0 && (writes[before] as number) > this.#order.settled) before--;
    return writes[before] ?? 0;
  }

  /** Position of the moment that makes a difference to a store through `walk`. */
  #momentOf(walk: Walk | null): number {
    const result = walk?.result;
    if (result?.kind !== 'mapped' || result.late === undefined) return NEVER;
    return this.#order.writesOf(result.late.from)[1] ?? NEVER;
  }

  /** A store that takes effect after `moment`, as early as it can there. */
  #writeLate(
    node: WriteNode,
    depth: number,
    { location, view: walk, waits, walk: by, done }: Translated,
    moment: number,
  ): void {
    assert(by?.result.kind === 'mapped', 'it has a location of its own');
    const late = by.result.late?.location as number;
    const s = this.#branchFrame(depth);
    const floor = max(this.#rules.writeFloor(s, node, location), walk);
    const position = max(floor, moment);
    if (this.#order.isPast(position, waits)) return;
    this.#rules.speculated(s, node.address, walk);
    this.#rules.didWrite(s, node, location, position);
    const result = { kind: 'value', value: late } as const;
    this.#trail.push({ node, walk: by, view: position, result });
    this.#stepAfter(node, late, depth + 1, done);
    this.#trail.pop();
  }

  /** Only own writes stand between the one the load-exclusive read and `position`. */
  #isMonitored(s: Frame, location: number, position: number): boolean {
    const { monitor } = this.#rules.layout;
    const read = s[monitor + 1] as number;
    return (
      s[monitor] === location &&
      this.#order
        .writesOf(location)
        .every(
          (write) =>
            write > this.#order.settled ||
            write <= read ||
            write >= position ||
            (this.#order.at(write)?.thread === this.#thread && !this.#isOwnUpdate(write)),
        )
    );
  }

  /** Is the own event at `position` this store by an instruction? */
  #isStore(position: number | undefined, location: number, value: number): position is number {
    if (position === undefined || this.#order.isHardware(position)) return false;
    const event = this.#order.at(position)?.event;
    return event?.kind === 'write' && event.location === location && event.value === value;
  }

  /**
   * An update by the own walker. A load that has seen it does not bind later loads of the entry, as
   * one that has seen another PE's write does (Exp-haz-ob is about external writes).
   */
  #isOwnUpdate(position: number): boolean {
    return this.#order.isHardware(position) && this.#order.at(position)?.thread === this.#thread;
  }

  /**
   * An own store that is later in program order: reading it would be reading from the future
   * (coRW). A walker's update may be read: a walk need not wait for earlier accesses.
   */
  #isUndone(position: number, done: number): boolean {
    const placed = this.#order.at(position);
    const isLater = placed?.thread === this.#thread && placed.ordinal >= done;
    return isLater && !this.#isOwnUpdate(position);
  }

  #write(node: WriteNode, depth: number, before: number): void {
    this.#translate(node, depth, before, (translated) => {
      const { location, view: walk, waits, walk: by, done } = translated;
      const s = this.#frame(depth + 1);
      const moment = node.unseen === true ? this.#momentOf(by) : NEVER;
      if (moment !== NEVER) {
        this.#writeLate(node, depth + 1, translated, moment);
        if (this.#isEnough()) return;
        // What has to come after the moment takes effect after it.
        const floor = max(this.#rules.writeFloor(s, node, location), walk);
        if (this.#order.isPast(floor, moment)) return;
      }
      if (node.value === null) {
        this.#rules.speculated(s, node.address, walk);
        this.#stepAfter(node, location, depth + 1, done);
        return;
      }
      const floor = max(this.#rules.writeFloor(s, node, location), walk);
      const unseen = node.unseen === true;
      const position = unseen ? floor : this.#positions[done];
      if (!unseen && !this.#isStore(position, location, node.value)) return;
      if (position === undefined || this.#order.isPast(position, waits)) return;
      if (!unseen && this.#order.isPast(floor, position)) return;
      if (node.exclusive !== undefined && !this.#isMonitored(s, location, position)) return;
      this.#rules.speculated(s, node.address, walk);
      this.#rules.didWrite(s, node, location, position);
      const result = { kind: 'value', value: location } as const;
      this.#trail.push({ node, walk: by, view: position, result });
      this.#stepAfter(node, location, depth + 1, unseen ? done : done + 1);
      this.#trail.pop();
    });
  }
}
