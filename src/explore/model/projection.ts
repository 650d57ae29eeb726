/**
 * What one thread can tell of a global order: its own events, writes to locations it reads or
 * walks, and TLBIs its vCPU receives. Every rule compares positions of such events only, so two
 * orders that look alike to a thread have the same outcomes for it.
 *
 * The sequences a thread has seen form a trie. Its nodes hold what running the thread gave, and
 * their numbers are the thread's part of a search state's key.
 */
import { assert } from '../../arch/assert.ts';
import { GlobalOrder, NEVER } from './order.ts';
import type { EntrySpan, Node, PlacedEvent, System, Target } from './program.ts';
import type { ThreadRun } from './thread-run.ts';

export type Outcomes = ReadonlyMap<number, number>;

interface TrieNode {
  /** Unique within one projection. */
  readonly id: number;
  readonly children: Map<number, TrieNode>;
  outcomes: Outcomes | null;
}

/** Ordinals are below this, so that thread and ordinal make one number. */
const ORDINALS = 32;

export class Projection {
  readonly #system: System;
  readonly #thread: number;
  readonly #run: ThreadRun;
  readonly #reads: ReadonlySet<number>;
  readonly #relevant: number;
  readonly #own: number;
  readonly #path: TrieNode[];
  readonly #seen: PlacedEvent[] = [];
  #ids = 0;

  /** `events`: all that the order will hold. */
  constructor(system: System, thread: number, run: ThreadRun, events: readonly PlacedEvent[]) {
    this.#system = system;
    this.#thread = thread;
    this.#run = run;
    this.#reads = locationsRead(system, thread, events);
    this.#relevant = events.filter((placed) => this.#tells(placed)).length;
    this.#own = events.filter((placed) => placed.thread === thread).length;
    this.#path = [this.#node()];
  }

  #node(): TrieNode {
    return { id: this.#ids++, children: new Map(), outcomes: null };
  }

  readsFrom(location: number): boolean {
    return this.#reads.has(location);
  }

  #tells({ thread, event }: PlacedEvent): boolean {
    if (thread === this.#thread) return true;
    if (event.kind === 'write') return this.#reads.has(event.location);
    return event.receiver === this.#system.threads[this.#thread]?.vcpu;
  }

  #top(): TrieNode {
    const top = this.#path.at(-1);
    assert(top !== undefined, 'the root is never popped');
    return top;
  }

  /** Number of the sequence seen so far. */
  get state(): number {
    return this.#top().id;
  }

  /** Nothing that is still to come makes a difference to the thread. */
  get complete(): boolean {
    return this.#seen.length === this.#relevant;
  }

  /** Appends an event of the order; false if the thread cannot tell it. */
  push(placed: PlacedEvent): boolean {
    if (!this.#tells(placed)) return false;
    const key = placed.thread * ORDINALS + placed.ordinal;
    const top = this.#top();
    let next = top.children.get(key);
    if (!next) {
      next = this.#node();
      top.children.set(key, next);
    }
    this.#path.push(next);
    this.#seen.push(placed);
    return true;
  }

  /** Takes back the event pushed last. */
  pop(): void {
    this.#path.pop();
    this.#seen.pop();
  }

  /** Outcomes of the thread under the sequence seen, which has to be complete. */
  outcomes(): Outcomes {
    assert(this.complete, 'a thread runs against a whole order');
    const top = this.#top();
    if (!top.outcomes) {
      this.#run.run(this.#order());
      top.outcomes = new Map(this.#run.outcomes);
    }
    return top.outcomes;
  }

  #order(): GlobalOrder {
    const positions = Array.from({ length: this.#own }, () => 0);
    for (const [i, placed] of this.#seen.entries()) {
      if (placed.thread === this.#thread) positions[placed.ordinal] = i + 1;
    }
    return new GlobalOrder(this.#system.initial, this.#seen, positions);
  }
}

/** Locations a thread may read from, be it as memory or as a table entry. */
function locationsRead(
  system: System,
  thread: number,
  events: readonly PlacedEvent[],
): ReadonlySet<number> {
  const read = new Set<number>();
  /** What an entry may hold, at no time in particular. */
  const spansOf = (entry: number): EntrySpan[] => {
    const values = new Set([system.initial[entry] as number]);
    for (const { event } of events) {
      if (event.kind === 'write' && event.location === entry) values.add(event.value);
    }
    return [...values].map((value) => ({ value, from: 0, until: NEVER }));
  };
  const note = (target: Target, write: boolean, alsoRead: boolean): void => {
    if (target.kind === 'location') {
      if (alsoRead) read.add(target.location);
      return;
    }
    for (const { result, entries } of system.translation.paths(target.address, write, spansOf)) {
      for (const { entry } of entries) read.add(entry);
      if (alsoRead && result.kind === 'mapped') read.add(result.location);
    }
  };
  for (const node of nodesOf(system, thread)) {
    if (node.kind === 'read') note(node.target, false, true);
    else if (node.kind === 'rmw') note(node.target, true, true);
    else if (node.kind === 'write') note(node.target, true, false);
  }
  return read;
}

const ACCESSES = new WeakMap<Node, readonly Node[]>();

/** The nodes of a thread's tree, once each; trees do not change, so they are walked once. */
function nodesOf(system: System, thread: number): readonly Node[] {
  const root = system.threads[thread]?.root;
  assert(root !== undefined, `no thread ${thread}`);
  const known = ACCESSES.get(root);
  if (known) return known;
  const seen = new Set<Node>();
  const open: Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...successors(node));
  }
  const nodes = [...seen].filter(({ kind }) => ['read', 'write', 'rmw'].includes(kind));
  ACCESSES.set(root, nodes);
  return nodes;
}

function successors(node: Node): Node[] {
  switch (node.kind) {
    case 'end':
      return [];
    case 'rmw': {
      const branches = [...node.next.values()].flatMap(({ next }) => [...next.values()]);
      return [...branches, ...node.faults.values()];
    }
    case 'read':
    case 'write':
      return [...node.next.values(), ...node.faults.values()];
    default:
      return [node.next];
  }
}
