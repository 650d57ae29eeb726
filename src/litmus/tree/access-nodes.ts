/**
 * The nodes of a thread's tree that access memory: loads, stores, store-exclusives and atomics, with
 * what each of them may find, where it may lead, and which faults and updates of its entry may come
 * with it.
 */
import {
  type Dependency,
  type HardwareUpdate,
  NO_DEPENDENCY,
  type Node,
  type ReadOrder,
  type Reads,
  type RmwBranch,
  type RmwNode,
  type Target,
  type WriteNode,
} from '../../explore/model/index.ts';
import { compute } from './alu.ts';
import { atomicResult, cut } from './atomic.ts';
import { type CodePoint, codeKey } from '../parse/code-point.ts';
import type { Domains } from './domains.ts';
import { Unsupported } from '../errors.ts';
import type { AccessBits, Address, Instruction, Register } from '../parse/instruction.ts';
import { extend } from '../parse/integer-type.ts';
import { operandOf } from './local-step.ts';
import { leastOf, type Origins, originsOf, type PathOrigins } from './origins.ts';
import type { Is, Point } from './path.ts';
import { both, type Registers, type Tracked } from '../parse/registers.ts';
import { descriptorOf, type Names } from './translation.ts';
import { formatValue, numberValue, type Value } from '../parse/value.ts';
import { type FaultType, type Walker, withAccessFlag } from './walker.ts';

/** Bits of a dependency mask. */
const READS_MAX = 30;

/** An access: what it names, and which locations and faults that can lead to. */
export interface Access {
  readonly target: Target;
  readonly address: Dependency;
  readonly symbol: string;
  readonly locations: readonly number[];
  readonly faults: readonly FaultType[];
  readonly updates: readonly HardwareUpdate[];
}

/** The rest of the tree, as the nodes here need it. */
export interface Grow {
  /** Counts one node against the bound. */
  count(): void;
  /** The tree behind the instruction at `pc`. */
  next(pc: CodePoint, at: Point): Node;
  /** What follows each fault that the access may take. */
  faults(
    access: Access,
    instruction: Instruction,
    pc: CodePoint,
    at: Point,
  ): ReadonlyMap<number, Node>;
  walkerAt(pc: CodePoint): Walker;
}

export class AccessNodes {
  /** Symbols whose addresses were accessed on some path. */
  readonly accessed = new Set<string>();
  /** Most reads on any path so far. */
  readsMax = 0;
  readonly #thread: number;
  readonly #context: { readonly names: Names; readonly domains: Domains };
  readonly #grow: Grow;
  /** By entry: times each code point put a descriptor there whose access flag is clear. */
  readonly #cleared = new Map<number, Map<string, number>>();

  constructor(
    thread: number,
    context: { readonly names: Names; readonly domains: Domains },
    grow: Grow,
  ) {
    this.#thread = thread;
    this.#context = context;
    this.#grow = grow;
  }

  /** How often this thread can put a descriptor with a clear access flag into `entry`. */
  flagsCleared(entry: number): number {
    const times = this.#cleared.get(entry)?.values() ?? [];
    return [...times].reduce((sum, count) => sum + count, 0);
  }

  /**
   * Notes that `value`, which depends on `reads` of the path, may be stored at `location`. Null if
   * that belongs to no execution, else the path's own stores with this one. `handedOn`: the reads that
   * an own read of it comes after, though the store may not be performed yet.
   */
  #admit(
    location: number,
    value: Value,
    { reads, handedOn }: { readonly reads: Reads; readonly handedOn: Reads },
    pc: CodePoint,
    at: Point,
  ): PathOrigins | null {
    const { domains } = this.#context;
    const key = codeKey(pc);
    const visit = at.visits.get(key)?.times ?? 1;
    const store = domains.stores.of(this.#thread, location, `${key} ${visit}`);
    const origins = originsOf(at.origins, reads | at.origins.control, store);
    if (!domains.admit(location, value, origins)) return null;
    if (value.kind === 'pte' && withAccessFlag(descriptorOf(value)) !== null) {
      const known = this.#cleared.get(location) ?? new Map<string, number>();
      known.set(key, Math.max(known.get(key) ?? 0, visit));
      this.#cleared.set(location, known);
    }
    const last = {
      value: this.#context.names.values.idOf(value),
      origins: leastOf(
        originsOf(at.origins, handedOn | at.origins.control, store).map((set) => set & ~store),
      ),
    };
    return {
      ...at.origins,
      stores: at.origins.stores | store,
      last: new Map([...at.origins.last, [location, last]]),
    };
  }

  /**
   * Values an access may find, once each, with their origins. What an own store made that is not
   * behind the access is out of reach: that store would come after itself in coherence order.
   * What the last own store holds may be handed on.
   */
  #found(locations: readonly number[], at: Point): ReadonlyMap<number, Origins> {
    const { domains } = this.#context;
    const found = new Map<number, Origins>();
    for (const location of locations) {
      const ahead = domains.stores.own(this.#thread, location) & ~at.origins.stores;
      for (const id of domains.of(location)) {
        const origins = domains.originsAt(location, id).filter((set) => (set & ahead) === 0n);
        if (origins.length > 0) found.set(id, leastOf([...(found.get(id) ?? []), ...origins]));
      }
      const last = at.origins.last.get(location);
      if (last !== undefined) {
        found.set(last.value, leastOf([...(found.get(last.value) ?? []), ...last.origins]));
      }
    }
    return found;
  }

  /** The path behind a read of what has these origins. */
  #afterRead(at: Point, origins: Origins): Point {
    const reads = [...at.origins.reads, origins];
    return { ...at, origins: { ...at.origins, reads } };
  }

  /** Counts one more read of the path. */
  #readNumber(at: Point, line: number): number {
    if (at.reads >= READS_MAX)
      throw new Unsupported(`more than ${READS_MAX} loads on one path`, line);
    this.readsMax = Math.max(this.readsMax, at.reads + 1);
    return at.reads;
  }

  /** Effective address; a written-back base is updated in `registers`. */
  #effective(address: Address, registers: Registers, line: number): Tracked {
    const base = registers.get(address.base, line);
    if (address.offset === null) return base;
    const offset = operandOf(registers, address.offset, line);
    const from = both(base.from, offset.from);
    const { value } = compute('add', base.value, offset.value, 64, line);
    if (address.writeBack !== 'none') registers.set(address.base, value, from, line);
    return address.writeBack === 'post' ? base : { value, from };
  }

  #access(
    address: Address,
    registers: Registers,
    bits: AccessBits,
    write: boolean,
    walker: Walker,
    line: number,
  ): Access {
    const { value, from } = this.#effective(address, registers, line);
    return this.#accessAt(value, from, bits, write, walker, line);
  }

  #accessAt(
    value: Value,
    from: Dependency,
    bits: AccessBits,
    write: boolean,
    walker: Walker,
    line: number,
  ): Access {
    const { names, domains } = this.#context;
    if (value.kind === 'entry') {
      if (walker.user) throw new Unsupported('accesses to table entries at EL0', line);
      const { symbol } = value;
      const location = names.entryOf(symbol);
      const target: Target = { kind: 'location', location };
      const locations = [location];
      return { target, address: from, symbol, locations, faults: [], updates: [] };
    }
    if (value.kind !== 'address') {
      throw new Unsupported(`an access to address ${formatValue(value)}`, line);
    }
    const { symbol, offset } = value;
    this.#checkSize(symbol, offset, bits, line);
    this.accessed.add(symbol);
    const target: Target = { kind: 'address', address: names.addressOf(symbol, offset, walker) };
    const targets = domains.targets({ symbol, offset, line }, write, walker);
    return { target, address: from, symbol, ...targets };
  }

  /** An access is of one whole element; words and doublewords of what is no array are one. */
  #checkSize(symbol: string, offset: number, bits: AccessBits, line: number): void {
    const { names } = this.#context;
    const { bytes, length } = names.shapeOf(symbol);
    if (names.frameOf(symbol, offset) === null) {
      throw new Unsupported(`an access ${offset} bytes into ${symbol}`, line);
    }
    const isWord = length === 1 && bytes >= 4 && bits >= 32;
    if (bytes * 8 !== bits && !isWord) {
      const what = `${bits} bits of ${symbol}, whose elements have ${bytes * 8}`;
      throw new Unsupported(`an access to ${what}`, line);
    }
  }

  load(instruction: Is<'load'>, pc: CodePoint, at: Point): Node {
    const { line, to, bits, order } = instruction;
    const registers = at.registers.copy();
    const walker = this.#grow.walkerAt(pc);
    const access = this.#access(instruction.address, registers, bits, false, walker, line);
    const how = { to, order, exclusive: instruction.exclusive === true };
    return this.#read(instruction, how, access, pc, { ...at, registers }, (then) =>
      this.#grow.next(pc, then),
    );
  }

  /** Two loads, neither of which the other depends on; the registers are written behind both. */
  loadPair(instruction: Is<'load-pair'>, pc: CodePoint, at: Point): Node {
    const { to, bits, line } = instruction;
    const [first, second] = to;
    const registers = at.registers.copy();
    const walker = this.#grow.walkerAt(pc);
    const [low, high] = this.#pair(instruction.address, registers, bits, false, walker, line);
    const start = { ...at, registers };
    return this.#read(instruction, { to: first, order: 'plain' }, low, pc, start, (then) =>
      this.#read(instruction, { to: second, order: 'plain' }, high, pc, then, (behind) =>
        this.#grow.next(pc, behind),
      ),
    );
  }

  #pair(
    address: Address,
    registers: Registers,
    bits: AccessBits,
    write: boolean,
    walker: Walker,
    line: number,
  ): [Access, Access] {
    const { value, from } = this.#effective(address, registers, line);
    const next = compute('add', value, numberValue(BigInt(bits / 8)), 64, line).value;
    return [
      this.#accessAt(value, from, bits, write, walker, line),
      this.#accessAt(next, from, bits, write, walker, line),
    ];
  }

  /** One read: `at.registers` are those behind the address's write-back. */
  #read(
    instruction: Is<'load'> | Is<'load-pair'>,
    { to, order, exclusive }: { to: Register; order: ReadOrder; exclusive?: boolean },
    access: Access,
    pc: CodePoint,
    at: Point,
    go: (then: Point) => Node,
  ): Node {
    const { line, bits } = instruction;
    this.#grow.count();
    const read = this.#readNumber(at, line);
    const next = new Map<number, Node>();
    for (const [id, origins] of this.#found(access.locations, at)) {
      const registers = at.registers.copy();
      const loaded = this.#context.names.values.valueOf(id);
      const value = asLoaded(loaded, bits, instruction.signed === true, line);
      registers.set(to, value, { basic: 1 << read, pick: 1 << read }, line);
      const monitor = exclusive ? read : at.monitor;
      const then = { ...at, registers, reads: read + 1, retried: null, monitor };
      next.set(id, go(this.#afterRead(then, origins)));
    }
    return {
      kind: 'read',
      target: access.target,
      order,
      read,
      ...(exclusive ? { exclusive: true } : {}),
      address: access.address,
      updates: access.updates,
      next,
      faults: this.#grow.faults(access, instruction, pc, at),
    };
  }

  store(instruction: Is<'store'>, pc: CodePoint, at: Point): Node {
    const { line, release, bits } = instruction;
    const registers = at.registers.copy();
    const data = registers.get(instruction.from, line);
    const walker = this.#grow.walkerAt(pc);
    const access = this.#access(instruction.address, registers, bits, true, walker, line);
    return this.#write(instruction, { data, release }, access, pc, at, (origins) =>
      this.#grow.next(pc, { ...at, registers, retried: null, origins }),
    );
  }

  storePair(instruction: Is<'store-pair'>, pc: CodePoint, at: Point): Node {
    const { from, bits, line } = instruction;
    const registers = at.registers.copy();
    const [first, second] = [registers.get(from[0], line), registers.get(from[1], line)];
    const walker = this.#grow.walkerAt(pc);
    const [low, high] = this.#pair(instruction.address, registers, bits, true, walker, line);
    return this.#write(instruction, { data: first, release: false }, low, pc, at, (origins) =>
      this.#write(
        instruction,
        { data: second, release: false },
        high,
        pc,
        { ...at, origins },
        (both) => this.#grow.next(pc, { ...at, registers, retried: null, origins: both }),
      ),
    );
  }

  #write(
    instruction: Is<'store'> | Is<'store-pair'>,
    { data, release }: { data: Tracked; release: boolean },
    access: Access,
    pc: CodePoint,
    at: Point,
    go: (origins: PathOrigins) => Node,
  ): Node {
    const { bits } = instruction;
    this.#grow.count();
    const value = cut(data.value, bits);
    const reads = depends(access.address, data.from);
    const next = new Map<number, Node>();
    const never = new Set<number>();
    for (const location of access.locations) {
      const origins = this.#admit(location, value, { reads, handedOn: reads }, pc, at);
      if (origins === null) never.add(location);
      else next.set(location, go(origins));
    }
    return {
      kind: 'write',
      never,
      target: access.target,
      value: this.#context.names.values.idOf(value),
      release,
      address: access.address,
      data: data.from,
      updates: access.updates,
      next,
      faults: this.#grow.faults(access, instruction, pc, at),
    };
  }

  /**
   * Fails, for whatever reason, or succeeds, if a load-exclusive set the monitor. Its status depends
   * on nothing: what made it fail is no value that a program has read.
   */
  storeExclusive(instruction: Is<'store-exclusive'>, pc: CodePoint, at: Point): Node {
    const { line, release, status, bits } = instruction;
    const walker = this.#grow.walkerAt(pc);
    const data = at.registers.get(instruction.from, line);
    const stored = cut(data.value, bits);
    const access = this.#access(instruction.address, at.registers.copy(), bits, true, walker, line);
    const faults = this.#grow.faults(access, instruction, pc, at);
    const after = (isStored: boolean, origins: PathOrigins): Node => {
      const registers = at.registers.copy();
      registers.set(status, numberValue(isStored ? 0n : 1n), NO_DEPENDENCY, line);
      return this.#grow.next(pc, { ...at, registers, retried: null, monitor: null, origins });
    };
    const never = new Set<number>();
    const node = (next: ReadonlyMap<number, Node>, isStored: boolean): WriteNode => {
      this.#grow.count();
      return {
        kind: 'write',
        never: isStored ? never : new Set(),
        target: access.target,
        value: isStored ? this.#context.names.values.idOf(stored) : null,
        release,
        ...(!isStored || at.monitor === null ? {} : { exclusive: at.monitor }),
        address: access.address,
        data: data.from,
        updates: access.updates,
        next,
        faults,
      };
    };
    const failing = after(false, at.origins);
    const failed = node(new Map(access.locations.map((location) => [location, failing])), false);
    if (at.monitor === null) return failed;
    // It comes after the read that set the monitor, too.
    const handedOn = depends(access.address, data.from);
    const reads = handedOn | (1 << at.monitor);
    const next = new Map<number, Node>();
    for (const location of access.locations) {
      const origins = this.#admit(location, stored, { reads, handedOn }, pc, at);
      if (origins === null) never.add(location);
      else next.set(location, after(true, origins));
    }
    return { kind: 'choice', alternatives: [failed, node(next, true)] };
  }

  atomic(instruction: Is<'atomic'>, pc: CodePoint, at: Point): Node {
    const walker = this.#grow.walkerAt(pc);
    const usual = this.#atomicBy(walker, instruction, pc, at);
    if (instruction.op !== 'compare-and-swap' || walker.dirty !== 'set') return usual;
    // One that fails may leave the dirty state alone (R_TXGHB).
    const clean = this.#atomicBy({ ...walker, dirty: 'keep' }, instruction, pc, at);
    const failing = new Map([...clean.next].filter(([, { value }]) => value === null));
    return { kind: 'choice', alternatives: [usual, { ...clean, next: failing }] };
  }

  #atomicBy(walker: Walker, instruction: Is<'atomic'>, pc: CodePoint, at: Point): RmwNode {
    const { line, op, to, operand, bits } = instruction;
    const { names } = this.#context;
    this.#grow.count();
    const read = this.#readNumber(at, line);
    const data = at.registers.get(operand, line);
    const compared =
      instruction.expected === null ? null : at.registers.get(instruction.expected, line);
    const access = this.#access(instruction.address, at.registers.copy(), bits, true, walker, line);
    const bit: Dependency = { basic: 1 << read, pick: 1 << read };
    // What is loaded flows into what is stored, but for a swap; a compare only picks.
    const flows = op === 'swap' || op === 'compare-and-swap' ? NO_DEPENDENCY : bit;
    const next = new Map<number, RmwBranch>();
    for (const [id, found] of this.#found(access.locations, at)) {
      const loaded = names.values.valueOf(id);
      const stored = atomicResult(op, loaded, data.value, compared?.value ?? null, bits, line);
      const then = this.#afterRead({ ...at, reads: read + 1, retried: null }, found);
      const own = depends(access.address, data.from) | (compared?.from.pick ?? 0);
      const reads = own | bit.pick;
      // What a swap stores does not depend on what it loads.
      const handedOn = op === 'swap' ? own : reads;
      const go = (origins: PathOrigins): Node => {
        const ways = loadedFlows(bit, compared, stored !== null).map((flow) => {
          const registers = at.registers.copy();
          if (to !== null) registers.set(to, asLoaded(loaded, bits, false, line), flow, line);
          return this.#grow.next(pc, { ...then, registers, origins });
        });
        const [only] = ways;
        return ways.length === 1 && only ? only : { kind: 'choice', alternatives: ways };
      };
      const branches = new Map<number, Node>();
      const unchanged = stored === null ? go(then.origins) : null;
      for (const location of access.locations) {
        const origins =
          stored === null
            ? then.origins
            : this.#admit(location, stored, { reads, handedOn }, pc, then);
        if (origins !== null) branches.set(location, unchanged ?? go(origins));
      }
      if (branches.size === 0) continue;
      next.set(id, { value: stored === null ? null : names.values.idOf(stored), next: branches });
    }
    const returns = to !== null && to.name !== 'ZR';
    const picked = compared === null ? 0 : compared.from.pick | bit.pick;
    return {
      kind: 'rmw',
      target: access.target,
      // A form that drops what it loads has no acquire semantics.
      order: instruction.acquire && returns ? 'acquire' : 'plain',
      release: instruction.release,
      read,
      returns,
      address: access.address,
      data: { basic: data.from.basic | flows.basic, pick: data.from.pick | flows.pick | picked },
      updates: access.updates,
      next,
      faults: this.#grow.faults(access, instruction, pc, at),
    };
  }
}

/** Reads that a store waits for on account of its address and data. */
function depends(address: Dependency, data: Dependency): Reads {
  return address.basic | address.pick | data.basic | data.pick;
}

/** What a register gets of a loaded value: its bits, extended. */
function asLoaded(value: Value, bits: AccessBits, signed: boolean, line: number): Value {
  if (value.kind === 'number') return numberValue(extend(value.number, bits, signed));
  if (bits === 64) return value;
  throw new Unsupported(`${bits} bits of ${formatValue(value)}`, line);
}

/**
 * What the register of an atomic access depends on. A compare-and-swap that succeeds leaves it as it
 * was: it depends on what was loaded or on what was there before, and the architecture leaves open on
 * which of the two; what was loaded picked it in either case.
 */
function loadedFlows(
  loaded: Dependency,
  compared: Tracked | null,
  isStored: boolean,
): readonly Dependency[] {
  if (compared === null || !isStored) return [loaded];
  const kept = { basic: compared.from.basic, pick: compared.from.pick | loaded.pick };
  // With no dependency of its own, what was there allows all that the other way does.
  return kept.basic === 0 && compared.from.pick === 0 ? [kept] : [kept, loaded];
}
