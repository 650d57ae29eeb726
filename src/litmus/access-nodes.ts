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
  type RmwBranch,
  type RmwNode,
  type Target,
  type WriteNode,
} from '../explore/model/index.ts';
import { compute } from './alu.ts';
import { atomicResult } from './atomic.ts';
import type { Domains } from './domains.ts';
import { Unsupported } from './errors.ts';
import type { Address, Instruction } from './instruction.ts';
import { operandOf } from './local-step.ts';
import { type Is, keyOf, type Point } from './path.ts';
import { both, type Registers, type Tracked } from './registers.ts';
import type { CodePoint } from './test-case.ts';
import { descriptorOf, type Names } from './translation.ts';
import { formatValue, numberValue, type Value } from './value.ts';
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
  readonly #context: { readonly names: Names; readonly domains: Domains };
  readonly #grow: Grow;
  /** By entry: times each code point put a descriptor there whose access flag is clear. */
  readonly #cleared = new Map<number, Map<string, number>>();

  constructor(context: { readonly names: Names; readonly domains: Domains }, grow: Grow) {
    this.#context = context;
    this.#grow = grow;
  }

  /** How often this thread can put a descriptor with a clear access flag into `entry`. */
  flagsCleared(entry: number): number {
    const times = this.#cleared.get(entry)?.values() ?? [];
    return [...times].reduce((sum, count) => sum + count, 0);
  }

  /** Notes that `value` may be stored at `location`; false if that belongs to no execution. */
  #admit(location: number, value: Value, pc: CodePoint, at: Point): boolean {
    const { domains } = this.#context;
    if (!domains.admit(location, value)) return false;
    if (value.kind === 'pte' && withAccessFlag(descriptorOf(value)) !== null) {
      const key = keyOf(pc);
      const known = this.#cleared.get(location) ?? new Map<string, number>();
      known.set(key, Math.max(known.get(key) ?? 0, at.visits.get(key) ?? 1));
      this.#cleared.set(location, known);
    }
    return true;
  }

  /** Values an access may find, once each. */
  #valuesAt(locations: readonly number[]): number[] {
    return [...new Set(locations.flatMap((location) => this.#context.domains.of(location)))];
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
    write: boolean,
    walker: Walker,
    line: number,
  ): Access {
    const { names, domains } = this.#context;
    const { value, from } = this.#effective(address, registers, line);
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
    this.accessed.add(value.symbol);
    const target: Target = { kind: 'address', address: names.addressOf(value.symbol, walker) };
    const targets = domains.targets(value.symbol, write, walker);
    return { target, address: from, symbol: value.symbol, ...targets };
  }

  load(instruction: Is<'load'>, pc: CodePoint, at: Point): Node {
    const { line, to, order } = instruction;
    this.#grow.count();
    const read = this.#readNumber(at, line);
    const registers = at.registers.copy();
    const walker = this.#grow.walkerAt(pc);
    const access = this.#access(instruction.address, registers, false, walker, line);
    const next = new Map<number, Node>();
    for (const id of this.#valuesAt(access.locations)) {
      const after = registers.copy();
      const value = this.#context.names.values.valueOf(id);
      after.set(to, value, { basic: 1 << read, pick: 1 << read }, line);
      const monitor = instruction.exclusive ? read : at.monitor;
      const then = { ...at, registers: after, reads: read + 1, retried: null, monitor };
      next.set(id, this.#grow.next(pc, then));
    }
    const faults = this.#grow.faults(access, instruction, pc, at);
    return {
      kind: 'read',
      target: access.target,
      order,
      read,
      ...(instruction.exclusive ? { exclusive: true } : {}),
      address: access.address,
      updates: access.updates,
      next,
      faults,
    };
  }

  store(instruction: Is<'store'>, pc: CodePoint, at: Point): Node {
    const { line, release } = instruction;
    this.#grow.count();
    const registers = at.registers.copy();
    const data = registers.get(instruction.from, line);
    const walker = this.#grow.walkerAt(pc);
    const access = this.#access(instruction.address, registers, true, walker, line);
    const next = new Map<number, Node>();
    for (const location of access.locations) {
      if (!this.#admit(location, data.value, pc, at)) continue;
      next.set(location, this.#grow.next(pc, { ...at, registers, retried: null }));
    }
    return {
      kind: 'write',
      target: access.target,
      value: this.#context.names.values.idOf(data.value),
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
    const { line, release, status } = instruction;
    const walker = this.#grow.walkerAt(pc);
    const data = at.registers.get(instruction.from, line);
    const access = this.#access(instruction.address, at.registers.copy(), true, walker, line);
    const faults = this.#grow.faults(access, instruction, pc, at);
    const store = (value: number | null, locations: readonly number[]): WriteNode => {
      this.#grow.count();
      const registers = at.registers.copy();
      registers.set(status, numberValue(value === null ? 1n : 0n), NO_DEPENDENCY, line);
      const then = this.#grow.next(pc, { ...at, registers, retried: null, monitor: null });
      return {
        kind: 'write',
        target: access.target,
        value,
        release,
        ...(value === null || at.monitor === null ? {} : { exclusive: at.monitor }),
        address: access.address,
        data: data.from,
        updates: access.updates,
        next: new Map(locations.map((location) => [location, then])),
        faults,
      };
    };
    const failed = store(null, access.locations);
    if (at.monitor === null) return failed;
    const admitted = access.locations.filter((l) => this.#admit(l, data.value, pc, at));
    const stored = store(this.#context.names.values.idOf(data.value), admitted);
    return { kind: 'choice', alternatives: [failed, stored] };
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
    const { line, op, to, operand, width } = instruction;
    const { names } = this.#context;
    this.#grow.count();
    const read = this.#readNumber(at, line);
    const data = at.registers.get(operand, line);
    const compared =
      instruction.expected === null ? null : at.registers.get(instruction.expected, line);
    const access = this.#access(instruction.address, at.registers.copy(), true, walker, line);
    const bit: Dependency = { basic: 1 << read, pick: 1 << read };
    // What is loaded flows into what is stored, but for a swap; a compare only picks.
    const flows = op === 'swap' || op === 'compare-and-swap' ? NO_DEPENDENCY : bit;
    const next = new Map<number, RmwBranch>();
    for (const id of this.#valuesAt(access.locations)) {
      const loaded = names.values.valueOf(id);
      const stored = atomicResult(op, loaded, data.value, compared?.value ?? null, width, line);
      const registers = at.registers.copy();
      // A compare-and-swap that succeeds leaves its register alone: what it loaded only picked that.
      // The architecture lets it depend on one of the two, loaded or compared; this asks for neither
      // and so allows a little more.
      const succeeded = compared !== null && stored !== null;
      const flow = succeeded ? { basic: 0, pick: bit.pick } : bit;
      if (to !== null) registers.set(to, loaded, flow, line);
      const locations = access.locations.filter(
        (location) => stored === null || this.#admit(location, stored, pc, at),
      );
      if (locations.length === 0) continue;
      const after = this.#grow.next(pc, { ...at, registers, reads: read + 1, retried: null });
      const value = stored === null ? null : names.values.idOf(stored);
      next.set(id, { value, next: new Map(locations.map((location) => [location, after])) });
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
