/**
 * A thread as the model sees it: a decision tree, unrolled once, whose inner nodes are
 * memory-system operations.
 *
 *   read x ──0──> write y=1 ──> end
 *          └─1──> end
 *
 * One child per answer a read may get. Registers are gone: a dependency is the set of earlier reads
 * of the path it comes from, as a bit mask.
 *
 * Litmus tests are unrolled by `src/litmus`; a protocol is one run of its function per path.
 * Locations, values, virtual addresses, faults, TLBI operations and outcomes are small integers
 * that mean something to their maker only.
 */

/** Bit `k` stands for the k-th read of this path. */
export type Reads = number;

/**
 * A dependency: `basic` through data flow alone, `pick` also through which operand a select or CAS
 * picked.
 */
export interface Dependency {
  readonly basic: Reads;
  readonly pick: Reads;
}
export const NO_DEPENDENCY: Dependency = Object.freeze({ basic: 0, pick: 0 });

/**
 * What an access names: a location itself (stable mapping), or an address that has to be
 * translated.
 */
export type Target =
  | { readonly kind: 'location'; readonly location: number }
  | { readonly kind: 'address'; readonly address: number };

/** `acquire-pc` is LDAPR: not ordered after an earlier store-release. */
export type ReadOrder = 'plain' | 'acquire' | 'acquire-pc';
export type BarrierKind = 'full' | 'load' | 'store';

/**
 * What a walker may do to the entry it translated through (FEAT_HAFDBS): set the access flag, or
 * the dirty state, by an atomic update.
 */
export interface HardwareUpdate {
  readonly entry: number;
  /** The descriptor as the update leaves it. */
  readonly value: number;
}

export interface ReadNode {
  readonly kind: 'read';
  readonly target: Target;
  readonly order: ReadOrder;
  /** Which read of the path this is. */
  readonly read: number;
  /** A load-exclusive: it sets the monitor. */
  readonly exclusive?: true;
  readonly address: Dependency;
  /** Updates its walk may make. Absent: none. */
  readonly updates?: readonly HardwareUpdate[];
  /** It waits for one of the values of `next`: a read of another value is no way through the program. */
  readonly awaits?: true;
  /** By value read. */
  readonly next: ReadonlyMap<number, Node>;
  /** By fault. */
  readonly faults: ReadonlyMap<number, Node>;
}

export interface WriteNode {
  readonly kind: 'write';
  readonly target: Target;
  /** Null: it is translated and stores nothing (a store-exclusive that fails). */
  readonly value: number | null;
  readonly release: boolean;
  /** A store-exclusive that succeeds: the read of the load-exclusive that set the monitor. */
  readonly exclusive?: number;
  readonly address: Dependency;
  readonly data: Dependency;
  readonly updates?: readonly HardwareUpdate[];
  /** By location written: the translation decides which. */
  readonly next: ReadonlyMap<number, Node>;
  /** Locations that no execution stores this value to: there the path ends. */
  readonly never?: ReadonlySet<number>;
  readonly faults: ReadonlyMap<number, Node>;
  /**
   * True: nobody reads the location, walks it, or asks for its last value. Then nobody can tell when
   * the write takes effect, and it is no event of the order. Its place is the lowest it can have: as
   * for a read, a higher one allows nothing more.
   */
  readonly unseen?: boolean;
}

/** What an atomic access that read some value goes on to do. */
export interface RmwBranch {
  /** Value written; null if nothing is (a compare-and-swap that failed). */
  readonly value: number | null;
  /** By location. */
  readonly next: ReadonlyMap<number, Node>;
}

/** One atomic read and write of one location: swap, compare-and-swap, fetch-and-op. */
export interface RmwNode {
  readonly kind: 'rmw';
  readonly target: Target;
  readonly order: 'plain' | 'acquire';
  readonly release: boolean;
  readonly read: number;
  /** False: the value read goes nowhere, so DMB LD and DSB LD do not wait for it. */
  readonly returns: boolean;
  readonly address: Dependency;
  readonly data: Dependency;
  readonly updates?: readonly HardwareUpdate[];
  /** By value read. */
  readonly next: ReadonlyMap<number, RmwBranch>;
  readonly faults: ReadonlyMap<number, Node>;
}

export interface BarrierNode {
  readonly kind: 'dmb' | 'dsb';
  readonly covers: BarrierKind;
  readonly next: Node;
}

/** An ISB, or an exception entry or return, which synchronise context just the same. */
export interface SynchroniseNode {
  readonly kind: 'isb' | 'exception';
  readonly next: Node;
}

export interface TlbiNode {
  readonly kind: 'tlbi';
  readonly op: number;
  /** vCPUs whose translations it can change; one event each. */
  readonly receivers: readonly number[];
  readonly address: Dependency;
  /** What follows comes after it, and no other TLBI is waited for with it (an interrupt that was taken). */
  readonly isAwaited?: true;
  readonly next: Node;
}

/** A conditional branch: what follows is control-dependent on these reads. */
export interface BranchNode {
  readonly kind: 'branch';
  readonly condition: Dependency;
  readonly next: Node;
}

/** What the architecture leaves open: each of the alternatives may be taken, on account of nothing. */
export interface ChoiceNode {
  readonly kind: 'choice';
  readonly alternatives: readonly Node[];
}

export interface EndNode {
  readonly kind: 'end';
  readonly outcome: number;
}

export type Node =
  | ReadNode
  | WriteNode
  | RmwNode
  | BarrierNode
  | SynchroniseNode
  | TlbiNode
  | BranchNode
  | ChoiceNode
  | EndNode;

/** One thread: runs on vCPU `vcpu`, starts at `root`. */
export interface ThreadProgram {
  readonly vcpu: number;
  readonly root: Node;
  /** Most reads on any path. */
  readonly reads: number;
}

/** An event of the global order. Each path of a thread contributes its own, in program order. */
export type OrderEvent =
  | {
      readonly kind: 'write';
      readonly location: number;
      readonly value: number;
      /** An update made by the thread's walker, not by one of its instructions. */
      readonly hardware?: true;
    }
  | {
      readonly kind: 'tlbi';
      readonly op: number;
      readonly receiver: number;
      readonly instance: number;
      /** DSBs for loads and stores that its thread had behind it; 0 where nobody asks (errata). */
      readonly epoch: number;
    };

/** An event in a global order. */
export interface PlacedEvent {
  readonly thread: number;
  /** Which of its thread's events, in program order. */
  readonly ordinal: number;
  readonly event: OrderEvent;
}

/** Everything a search runs on. */
export interface System {
  readonly threads: readonly ThreadProgram[];
  /** Initial value of each location. */
  readonly initial: readonly number[];
  readonly translation: TranslationSystem;
  /**
   * Threads that nobody could tell from each other but by their numbers: the same tree, every TLBI
   * reaches all of them or none. Absent: there are none.
   */
  readonly alike?: readonly number[];
  /** True: reads have no branch for a value that no execution lets them find. */
  readonly isSparse?: true;
  /**
   * Locations that one store each marks as the moment from which nothing may be stored through some
   * translations any more (`late`). Absent: there is no such moment.
   */
  readonly moments?: readonly number[];
}

/** A walk that found `location`, or one that ended in a fault. */
export type WalkResult =
  | {
      readonly kind: 'mapped';
      readonly location: number;
      /** False: used straight from memory and never kept, as an nT block may be. Default: true. */
      readonly cacheable?: boolean;
      /** The walk goes through only with this update of its last entry. */
      readonly update?: HardwareUpdate;
      /** What a store through it that takes effect after a moment of the system's names instead. */
      readonly late?: { readonly location: number; readonly from: number };
    }
  | {
      readonly kind: 'fault';
      readonly fault: number;
      /**
       * Permission faults may come from a TLB entry; Translation and Access-flag faults never do.
       */
      readonly cacheable: boolean;
    };

/** A value of a table entry while it stood: readable from memory at times `from` to `until - 1`. */
export interface EntrySpan {
  readonly value: number;
  readonly from: number;
  readonly until: number;
}

/** A walk some table contents give: what it read, from the root down, and where it ended. */
export interface WalkPath {
  readonly result: WalkResult;
  readonly entries: readonly { readonly entry: number; readonly span: EntrySpan }[];
}

/**
 * How addresses are translated. The model asks for the walks that table contents give and decides
 * itself *when* each entry may have been read: straight from memory, or out of a TLB or walk cache
 * that no TLBI has cleaned since. Tables of several levels give paths of several entries.
 */
export interface TranslationSystem {
  /** Page-offset classes: translations of the same class are coherent with each other. */
  readonly offsets: number;
  offsetOf(address: number): number;
  /** Every walk for `address`; `spansOf` gives what an entry held, whenever. */
  paths(
    address: number,
    write: boolean,
    spansOf: (entry: number) => readonly EntrySpan[],
  ): readonly WalkPath[];
  /**
   * Does TLBI `op` remove the cached entry `depth` steps below the root of a walk for `address`?
   * `isLeaf` tells the translation itself from a table on the way to it.
   */
  matches(op: number, address: number, depth: number, isLeaf: boolean): boolean;
  /** Is `op` no TLBI but an interrupt, which removes nothing? Absent: there are none. */
  isInterrupt?(op: number): boolean;
  /** Does `op` act on the PE that issues it alone? Absent: none does. */
  isLocal?(op: number): boolean;
  /**
   * Does `op` remove an entry that keeps a whole walk for `address` in one piece (stage 1 and 2
   * combined)? Such an entry may be filled from any other one. Absent: there are none.
   */
  matchesWhole?(op: number, address: number): boolean;
  /**
   * What an access may meet while both walks for `address` can be used at once. Null: nothing that
   * one of them alone would not give. Absent: the same, always. `isOpen`: in an order that is not
   * complete, so that perhaps they never can.
   */
  collide?(address: number, a: WalkResult, b: WalkResult, isOpen?: boolean): WalkResult | null;
}
