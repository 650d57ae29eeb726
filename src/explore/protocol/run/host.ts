/**
 * The hypervisor's side of a small machine, the same for every guest program: every way through the
 * protocol, or through two of them at once on one entry (maker.ts).
 *
 * What one of two stores depends on what it has read of the other, so their trees grow until neither
 * finds a value that is new. They may then have ways that no execution takes (the other stores that
 * value only once this one is done): the search does not come there.
 */
import type { Descriptor } from '../../../arch/descriptor.ts';
import type { BbmLevel } from '../../../arch/feat-bbm.ts';
import type { TlbiOp } from '../../../arch/tlbi.ts';
import type { Protocol } from '../../../port/index.ts';
import { BoundReached, type ExploreBounds } from '../machine/bounds.ts';
import { heldAfter } from '../machine/hardware-update.ts';
import { hypervisorScript, machineScript } from './hypervisor.ts';
import { bothMakers, type Maker, soleMaker } from './maker.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import { reachOf, runsOnGuestPe } from '../machine/reach.ts';
import { isSameOperation, type Operation } from './recording.ts';
import { NOT_THE_SAME, NotDeterministic, type Path, unroll, type Unrolled } from './unroll.ts';

export interface Host {
  readonly map: MemoryMap;
  /** What the protocols are told of the CPU. */
  readonly bbm: BbmLevel;
  /** Some run so far has looked at that: told something else, it may take another way. */
  readonly looksAtBbm: boolean;
  /** One, or two at once. */
  readonly threads: readonly HostThread[];
  /** Every way through the protocol; of two the first. */
  readonly paths: readonly Path[];
  readonly initial: readonly Descriptor[];
  /** By location: every value it ever holds, on any path. */
  readonly held: readonly ReadonlySet<Descriptor>[];
  /** By number. */
  readonly values: readonly Descriptor[];
  readonly tlbis: readonly TlbiOp[];
  readonly vcpus: number;
  /** vCPUs that a broadcast reaches: these, and that of the second VM if there is one. */
  readonly receivers: number;
  /** Of two one can tell what the other has stored there, or which of both was last. */
  readonly isShared: (location: number) => boolean;
}

export interface HostThread {
  readonly maker: Maker;
  /** Number of its thread in the model: the second comes behind all vCPUs. */
  readonly thread: number;
  readonly paths: readonly Path[];
  /** Its tree, if vCPUs may read these locations only. */
  readonly tree: (isRead: (location: number) => boolean) => Unrolled;
}

/** What one of two protocols threw, or does that cannot be explored. */
export class MakerFailed extends Error {
  override readonly name = 'MakerFailed';
  readonly protocol: Protocol;

  constructor(protocol: Protocol, cause: unknown) {
    super(`of protocol ${protocol.name}`, { cause });
    this.protocol = protocol;
  }
}

/** The first hypervisor is the model's vCPU 0. */
export function vcpuNumber(vcpu: number): number {
  return vcpu + 1;
}

/**
 * Runs of a protocol in which it must do the same again: what depends on chance, or on how often it
 * ran before, shows here. It is the same protocol on the next CPU, where fewer do, and of two at once,
 * whose trees are larger. A tree of many ways is many runs.
 */
const REPEATS = 128;
const REPEATS_MIN = 16;
const REPEATS_OF_TWO = 8;
const REPEATS_LEAST = 4;
/** Of a tree with so many ways in all: beyond that fewer do. */
const RUNS_MAX = 2 ** 13;

const repeated = new WeakMap<Protocol, number>();

/** How often it is to be run again here, where a run goes through so many ways. */
function repeatsOf(protocol: Protocol, ways: number): number {
  const known = repeated.get(protocol) ?? 0;
  const most = Math.max(REPEATS_LEAST, Math.floor(RUNS_MAX / ways));
  const more = Math.min(most, Math.max(REPEATS_MIN, REPEATS - known));
  repeated.set(protocol, known + more);
  return more;
}

/** Rounds in which two trees may grow: who waits for whom is a far shorter chain. */
const ROUNDS_MAX = 8;

/** Throws BoundReached, NotDeterministic, and whatever the protocol throws. */
export function unrollHost(
  protocol: Protocol,
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
): Host {
  return unrollMakers([soleMaker(protocol, map)], map, bbm, vcpus, bounds);
}

/** `map` is of a machine with two makers. */
export function unrollBoth(
  protocols: readonly [Protocol, Protocol],
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
): Host {
  return unrollMakers(bothMakers(protocols, map), map, bbm, vcpus, bounds);
}

/** Numbers for things, in the order in which they are met: the model knows numbers only. */
class Numbering<T> {
  readonly all: T[] = [];
  readonly #known = new Map<string, number>();

  of(item: T, key: string): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.all.length);
    return this.all.push(item) - 1;
  }
}

type IsRead = (location: number) => boolean;

function unrollMakers(
  makers: readonly Maker[],
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
): Host {
  const values = new Numbering<Descriptor>();
  const tlbis = new Numbering<TlbiOp>();
  const initial = map.regions.flatMap((region) => region.initial());
  const valueOf = (d: Descriptor): number => values.of(d, d.toString(16));
  for (const d of initial) valueOf(d);
  const receivers = vcpus + (map.hasNeighbour ? 1 : 0);
  const everyVcpu = Array.from({ length: receivers }, (_, vcpu) => vcpuNumber(vcpu));
  const ofTwo = makers.length > 1;
  /** Of two it has to be said which one does what cannot be explored. */
  const said = <T>({ protocol }: Maker, run: () => T): T => {
    try {
      return run();
    } catch (cause) {
      throw ofTwo && !(cause instanceof BoundReached) ? new MakerFailed(protocol, cause) : cause;
    }
  };
  let looksAtBbm = false;
  /** `stores`: by maker, what it may store where. */
  const treeOf = (maker: Maker, stores: readonly Stores[], isRead: IsRead): Unrolled => {
    const tree = unroll({
      script: ofTwo
        ? hypervisorScript(maker.protocol, map, bbm, maker)
        : machineScript(maker.protocol, map, bbm),
      initial,
      // Walkers store to tables, and the other maker if there is one.
      othersMayStore: (location, held) => {
        const others = stores.filter((_, i) => makers[i] !== maker);
        const theirs = others.flatMap((of) => [...(of[location] ?? [])]);
        return [held, ...theirs].flatMap((d) => heldAfter(map, location, d));
      },
      isRead,
      valueOf,
      tlbiOf: (op) => tlbis.of(op, JSON.stringify(op)),
      receiversOf: (op) => everyVcpu.slice(0, reachOf(map, op, receivers)),
      localDsbCounts: runsOnGuestPe(map),
      interrupted: map.counts === 'interrupts' ? everyVcpu : [],
      bounds,
    });
    // In a run that is only to be like the others, too.
    looksAtBbm ||= tree.looksAtBbm;
    return tree;
  };
  const { trees, stores } = grow(makers, initial, bounds, (maker, of) =>
    said(maker, () => treeOf(maker, of, () => true)),
  );
  refuseSharedPages(trees, map);
  const isShared = sharedBy(trees, stores);
  const threads = makers.map((maker, i): HostThread => {
    const { paths } = trees[i] as Unrolled;
    // Where less is read there may be fewer ways, but no other ones; most often in the same place.
    const isKnown = (path: Path, at: number): boolean =>
      (paths[at] !== undefined && isSamePath(paths[at], path)) ||
      paths.some((known) => isSamePath(known, path));
    const again = (isRead: IsRead): Unrolled =>
      said(maker, () => {
        const tree = treeOf(maker, stores, isRead);
        if (tree.paths.every(isKnown)) return tree;
        throw new NotDeterministic(NOT_THE_SAME);
      });
    const repeats = ofTwo ? REPEATS_OF_TWO : repeatsOf(maker.protocol, paths.length);
    for (let n = 0; n < repeats; n++) again(() => true);
    const thread = i === 0 ? 0 : receivers + i;
    // Most guest programs read the same locations as others.
    const known = new Map<string, Unrolled>();
    const tree = (isRead: IsRead): Unrolled => {
      const reads: IsRead = (location) => isRead(location) || isShared(location);
      const key = initial.map((_, location) => (reads(location) ? 'r' : '-')).join('');
      const found = known.get(key) ?? again(reads);
      known.set(key, found);
      return found;
    };
    return { maker, thread, paths, tree };
  });
  const held = initial.map((d, location) => {
    const all = [d, ...stores.flatMap((mine) => [...(mine[location] ?? [])])];
    return new Set(all.flatMap((one) => heldAfter(map, location, one)));
  });
  for (const mine of held) for (const d of mine) valueOf(d);
  return {
    map,
    bbm,
    get looksAtBbm() {
      return looksAtBbm;
    },
    threads,
    held,
    paths: trees[0]?.paths ?? [],
    initial,
    values: values.all,
    tlbis: tlbis.all,
    vcpus,
    receivers,
    isShared,
  };
}

/** By location: what a thread stores there on some way. */
type Stores = readonly ReadonlySet<Descriptor>[];

/** The trees once no more of them is known by what the others store. */
function grow(
  makers: readonly Maker[],
  initial: readonly Descriptor[],
  { nodes }: ExploreBounds,
  treeOf: (maker: Maker, stores: readonly Stores[]) => Unrolled,
): { readonly trees: readonly Unrolled[]; readonly stores: readonly Stores[] } {
  let stores: readonly Stores[] = makers.map(() => initial.map(() => new Set<Descriptor>()));
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const trees = makers.map((maker) => treeOf(maker, stores));
    const next = trees.map(({ paths }) => storesOf(paths, initial.length));
    // Alone there is nobody whose stores it could read.
    if (makers.length === 1 || sizeOf(next) === sizeOf(stores)) return { trees, stores: next };
    stores = next;
  }
  throw new BoundReached('nodes', nodes);
}

function sizeOf(stores: readonly Stores[]): number {
  return stores.flat().reduce((sum, { size }) => sum + size, 0);
}

/**
 * Every value the ways store, by location. What a compare-exchange that fails would have stored is
 * none.
 */
function storesOf(paths: readonly Path[], locations: number): Stores {
  const stores = Array.from({ length: locations }, () => new Set<Descriptor>());
  for (const { operations, answers } of paths) {
    let nth = 0;
    for (const operation of operations) {
      if (operation.kind === 'write') stores[operation.location]?.add(operation.value);
      const isAnswered = operation.kind === 'cas' || operation.kind === 'read';
      const answer = isAnswered ? answers[nth++] : undefined;
      if (operation.kind === 'cas' && answer === operation.expected) {
        stores[operation.location]?.add(operation.desired);
      }
    }
  }
  return stores;
}

/** Locations that some way reads. */
function readsOf({ paths }: Unrolled): ReadonlySet<number> {
  const read = new Set<number>();
  for (const { operations } of paths) {
    for (const operation of operations) {
      if (operation.kind === 'read' || operation.kind === 'cas') read.add(operation.location);
    }
  }
  return read;
}

function sharedBy(
  trees: readonly Unrolled[],
  stores: readonly Stores[],
): (location: number) => boolean {
  const [one, other] = trees.map(readsOf);
  const [first, second] = stores;
  if (one === undefined || other === undefined) return () => false;
  return (location) => {
    const [mine, theirs] = [first?.[location] ?? NOTHING, second?.[location] ?? NOTHING];
    if (one.has(location) && theirs.size > 0) return true;
    if (other.has(location) && mine.size > 0) return true;
    // Both store one and the same there, a freed page's next user say: whoever is last.
    const all = new Set([...mine, ...theirs]);
    return mine.size > 0 && theirs.size > 0 && all.size > 1;
  };
}

const NOTHING: ReadonlySet<Descriptor> = new Set();

/** Two makers take fresh pages from either end: where they meet there are too few. */
function refuseSharedPages(trees: readonly Unrolled[], { tables }: MemoryMap): void {
  const [first = [], ...others] = trees.map(({ paths }) =>
    paths.flatMap(({ ledger }) => ledger.flatMap((e) => (e.is === 'made' ? [e.table] : []))),
  );
  if (others.some((made) => made.some((table) => first.includes(table)))) {
    throw new BoundReached('tables', tables);
  }
}

function isSamePath(a: Path, b: Path): boolean {
  return (
    a.operations.length === b.operations.length &&
    a.answers.length === b.answers.length &&
    a.answers.every((answer, i) => answer === b.answers[i]) &&
    a.operations.every((operation, i) => isSameOperation(operation, b.operations[i] as Operation))
  );
}
