/**
 * A script as a decision tree of the model: run against an empty log, it stops at its first read;
 * run again with each answer that read may get, it goes on to the next; and so on.
 *
 *   log []         write, DSB, compare-exchange?
 *   log [table]                  └─ table ──> TLBI, DSB, write, end
 *   log [LOCKED]                 └─ LOCKED ─> end
 *
 * Each run has to begin like the one it continues: a script that does not is no protocol.
 */
import { assertNever } from '../../../arch/assert.ts';
import type { Descriptor } from '../../../arch/descriptor.ts';
import type { DmbKind, TlbiOp, TraceEvent } from '../../../port/index.ts';
import { type BarrierKind, NO_DEPENDENCY, type Node } from '../../model/index.ts';
import { BoundReached, type ExploreBounds } from '../machine/bounds.ts';
import type { BookEntry, BookFinding } from './page-book.ts';
import { INTERRUPT } from '../machine/reach.ts';
import {
  isSameOperation,
  type Operation,
  type PartStart,
  Recording,
  type Script,
} from './recording.ts';

/** Numbers for what the model knows as numbers only. */
export interface Numbers {
  readonly valueOf: (d: Descriptor) => number;
  readonly tlbiOf: (op: TlbiOp) => number;
  /** vCPUs that a TLBI reaches. */
  readonly receiversOf: (op: TlbiOp) => readonly number[];
  /** vCPUs to which it makes a difference that they are interrupted. */
  readonly interrupted?: readonly number[];
}

export interface UnrollInput extends Numbers {
  readonly script: Script;
  /** By location. */
  readonly initial: readonly Descriptor[];
  /** Values that other threads may have made of a location that held `held` for this one. */
  readonly othersMayStore: (location: number, held: Descriptor) => readonly Descriptor[];
  /**
   * False: no other thread reads or stores to the location, so nothing this one does there is a step.
   * A store could always be put right behind what it has to follow, and nothing is ordered after it
   * that is not ordered after that; a load finds what this thread stored last.
   */
  readonly isRead: (location: number) => boolean;
  /** A Non-shareable DSB is good for what the thread does: there is a guest on its own PE. */
  readonly localDsbCounts?: boolean;
  readonly bounds: ExploreBounds;
}

/** One way through the script, from start to end. */
export interface Path {
  readonly operations: readonly Operation[];
  readonly trace: readonly TraceEvent[];
  /** By event of the trace: the location it is about. */
  readonly locations: readonly (number | null)[];
  /** By event of the trace: index of the operation that it is, or of the last one before it. */
  readonly behind: readonly number[];
  /** Where what is about each region begins; empty: it is about one. */
  readonly parts: readonly PartStart[];
  readonly findings: readonly BookFinding[];
  readonly ledger: readonly BookEntry[];
  /** What its reads and compare-exchanges found, in order. */
  readonly answers: readonly Descriptor[];
  /** What the thread leaves behind, by location. */
  readonly memory: readonly Descriptor[];
  /**
   * Beside another thread: what the protocol threw on this way, which perhaps no execution takes. Null:
   * it went to its end.
   */
  readonly thrown: Error | null;
}

export interface Unrolled {
  /** Its ends are numbers of `paths`. */
  readonly root: Node;
  readonly paths: readonly Path[];
  /** Most reads on any path. */
  readonly reads: number;
  /** On some path the script has looked at the CPU's BBM level. */
  readonly looksAtBbm: boolean;
}

export const NOT_THE_SAME =
  'it does not do the same again when it reads the same (Math.random, Date, or a variable that ' +
  'outlives a run?)';

export class NotDeterministic extends Error {
  override readonly name = 'NotDeterministic';
}

/** The way of a run that has come to its end. */
export function pathOf(recording: Recording, answers: readonly Descriptor[]): Path {
  const { operations, trace, locations, behind, parts, findings, ledger, memory, thrown } =
    recording;
  const events = { trace, locations, behind, parts };
  return { operations, ...events, findings, ledger, answers, memory, thrown };
}

/** What of its trace is about one of several regions. */
export function partOf(path: Path, region: number): Path {
  if (path.parts.length < 2) return path;
  const [from, to] = [path.parts[region]?.trace, path.parts[region + 1]?.trace];
  const [trace, locations] = [path.trace.slice(from, to), path.locations.slice(from, to)];
  return { ...path, trace, locations, behind: path.behind.slice(from, to) };
}

/** The region that operation `index` is about. */
export function regionOf({ parts }: Pick<Path, 'parts'>, index: number): number {
  return Math.max(
    0,
    parts.findLastIndex(({ operations }) => operations <= index),
  );
}

export function unroll(input: UnrollInput): Unrolled {
  const unroller = new Unroller(input);
  const root = unroller.grow([], []);
  const { paths, reads, looksAtBbm } = unroller;
  return { root, paths, reads, looksAtBbm };
}

class Unroller {
  readonly paths: Path[] = [];
  reads = 0;
  looksAtBbm = false;
  readonly #input: UnrollInput;
  #nodes = 0;

  constructor(input: UnrollInput) {
    this.#input = input;
  }

  /** The tree after `done`, which is what the script does while `log` answers all but its last read. */
  grow(log: readonly Descriptor[], done: readonly Operation[]): Node {
    const { script, initial, bounds } = this.#input;
    const recording = new Recording(initial, log, bounds.operations, script);
    const { operations } = recording;
    if (recording.looksAtBbm) this.looksAtBbm = true;
    if (!startsWith(operations, done)) {
      throw new NotDeterministic(NOT_THE_SAME);
    }
    this.#nodes += operations.length - done.length + 1;
    if (this.#nodes > bounds.nodes) throw new BoundReached('nodes', bounds.nodes);
    const last = recording.pending ? operations.at(-1) : undefined;
    const tail =
      last === undefined ? this.#end(recording, log) : this.#branch(last, recording, log);
    const straight = operations.slice(done.length, last === undefined ? undefined : -1);
    return straight.reduceRight((next: Node, operation) => this.#straight(operation, next), tail);
  }

  #end(recording: Recording, answers: readonly Descriptor[]): Node {
    this.reads = Math.max(this.reads, recording.answered);
    return { kind: 'end', outcome: this.paths.push(pathOf(recording, answers)) - 1 };
  }

  /**
   * Coherence leaves a read its own thread's last store (or the value before any) and whatever
   * others store.
   */
  #branch(operation: Operation, recording: Recording, log: readonly Descriptor[]): Node {
    if (operation.kind === 'choose') {
      const alternatives = Array.from({ length: operation.among }, (_, i) =>
        this.grow([...log, BigInt(i)], recording.operations),
      );
      return { kind: 'choice', alternatives };
    }
    if (operation.kind !== 'read' && operation.kind !== 'cas') {
      throw new Error(`${operation.kind} waits for no answer`);
    }
    const { location } = operation;
    const { operations } = recording;
    const { isRead, othersMayStore, valueOf } = this.#input;
    const held = recording.peek(location);
    if (!isRead(location)) return this.grow([...log, held], operations);
    const awaited = operation.kind === 'read' ? operation.awaited : undefined;
    const answers = new Set(
      awaited === undefined ? [held, ...othersMayStore(location, held)] : [awaited],
    );
    const grown = [...answers].map(
      (answer) => [answer, this.grow([...log, answer], operations)] as const,
    );
    const common = {
      target: { kind: 'location', location },
      read: log.length,
      address: NO_DEPENDENCY,
      faults: new Map<number, Node>(),
    } as const;
    if (operation.kind === 'read') {
      const next = new Map(grown.map(([answer, node]) => [valueOf(answer), node]));
      const waits = awaited === undefined ? {} : ({ awaits: true } as const);
      return { kind: 'read', order: 'plain', ...common, ...waits, next };
    }
    const next = new Map(
      grown.map(([answer, node]) => {
        const value = answer === operation.expected ? valueOf(operation.desired) : null;
        return [valueOf(answer), { value, next: new Map([[location, node]]) }];
      }),
    );
    const order = { order: 'acquire', release: true, returns: true, data: NO_DEPENDENCY } as const;
    return { kind: 'rmw', ...order, ...common, next };
  }

  #straight(operation: Operation, next: Node): Node {
    switch (operation.kind) {
      case 'write': {
        const { location, value, release } = operation;
        if (!this.#input.isRead(location)) return next;
        return {
          kind: 'write',
          target: { kind: 'location', location },
          value: this.#input.valueOf(value),
          release,
          address: NO_DEPENDENCY,
          data: NO_DEPENDENCY,
          next: new Map([[location, next]]),
          faults: new Map(),
        };
      }
      case 'dsb': {
        const { localDsbCounts = false } = this.#input;
        const covers = (localDsbCounts ? LOCAL_DSB_COVERS : DSB_COVERS)[operation.dsb];
        return covers === null ? next : { kind: 'dsb', covers, next };
      }
      case 'dmb':
        return { kind: 'dmb', covers: DMB_COVERS[operation.dmb], next };
      case 'isb':
        return { kind: 'isb', next };
      case 'ipi': {
        const { interrupted = [] } = this.#input;
        if (interrupted.length === 0) return { kind: 'dmb', covers: 'full', next };
        const sent: Node = {
          kind: 'tlbi',
          op: INTERRUPT,
          receivers: interrupted,
          address: NO_DEPENDENCY,
          isAwaited: true,
          next,
        };
        // Loads and stores come before it. A TLBI that no DSB has completed may come behind it.
        const stored: Node = { kind: 'dsb', covers: 'store', next: sent };
        return { kind: 'dsb', covers: 'load', next: stored };
      }
      case 'tlbi': {
        const op = this.#input.tlbiOf(operation.tlbi);
        const receivers = this.#input.receiversOf(operation.tlbi);
        return { kind: 'tlbi', op, receivers, address: NO_DEPENDENCY, next };
      }
      // What changes the context shows in the TLBIs behind it.
      case 'vttbr':
      case 'tge':
        return next;
      case 'choose':
      case 'read':
      case 'cas':
        throw new Error('a read ends its part of the tree: it is where the tree branches');
      default:
        return assertNever(operation);
    }
  }
}

/**
 * A Non-shareable barrier orders nothing as other PEs see it, and it completes local TLBIs only,
 * which reach no vCPU here.
 */
const DSB_COVERS = {
  ish: 'full',
  ishst: 'store',
  nsh: null,
  nshst: null,
} as const satisfies Record<string, BarrierKind | null>;

/**
 * On the PE of a guest: for that one guest they are as good as the others. For guests elsewhere this
 * orders too much, so that it is used only where nothing is asked of those.
 */
const LOCAL_DSB_COVERS = { ...DSB_COVERS, nsh: 'full', nshst: 'store' } as const;

const DMB_COVERS = {
  ish: 'full',
  ishst: 'store',
  ishld: 'load',
} as const satisfies Record<DmbKind, BarrierKind>;

function startsWith(operations: readonly Operation[], done: readonly Operation[]): boolean {
  return done.every((operation, i) => {
    const again = operations[i];
    return again !== undefined && isSameOperation(again, operation);
  });
}
