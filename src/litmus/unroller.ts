/**
 * One thread of a litmus test as a decision tree. A loop is unrolled a bounded number of times;
 * paths that go round once more are cut, and the result says so.
 *
 * After a fault the handler runs, if there is one; otherwise what `FaultHandling` says. Exception
 * entry and return synchronise context.
 */
import { assert, assertNever } from '../arch/assert.ts';
import {
  type Dependency,
  type EndNode,
  NO_DEPENDENCY,
  type Node,
  type RmwBranch,
  type SearchBounds,
  type Target,
  type ThreadProgram,
} from '../explore/model/index.ts';
import { compute, holds } from './alu.ts';
import { atomicResult } from './atomic.ts';
import type { Domains } from './domains.ts';
import { Unsupported } from './errors.ts';
import type { Address, Instruction } from './instruction.ts';
import { applyLocally, operandOf } from './local-step.ts';
import type { Outcomes, PathFault } from './outcomes.ts';
import type { Receivers } from './receivers.ts';
import { both, Registers, type Tracked } from './registers.ts';
import type { CodePoint, LitmusThread } from './test-case.ts';
import { FAULT_TYPES, type FaultType, type Names } from './translation.ts';
import { formatValue } from './value.ts';

/**
 * What follows a fault in a thread without a handler: nothing, the next instruction, or the same
 * one again. The second fault of one access drops the execution, as in herd: it would be an endless
 * loop or the same again.
 */
export type FaultHandling = 'end-thread' | 'next-instruction' | 'retry';

/** The tree of one thread got larger than the bound. */
export class TreeTooLarge extends Error {
  override readonly name = 'TreeTooLarge';
}

export interface UnrollContext {
  readonly names: Names;
  readonly domains: Domains;
  readonly outcomes: Outcomes;
  readonly receivers: Receivers;
  readonly handling: FaultHandling;
  readonly bounds: SearchBounds;
}

/** Bits of a dependency mask. */
const READS_MAX = 30;
const START: CodePoint = { section: 'main', index: 0 };

function behind(pc: CodePoint): CodePoint {
  return { section: pc.section, index: pc.index + 1 };
}

/** Where a path is and what it has done. */
interface Point {
  readonly registers: Registers;
  readonly reads: number;
  /** By section and index. */
  readonly visits: ReadonlyMap<string, number>;
  readonly faults: readonly PathFault[];
  /** The access that faulted and is being retried. */
  readonly retried: Instruction | null;
  /** Inside the fault handler: where ERET goes. */
  readonly returnTo: CodePoint | null;
}

/** An access: what it names, and which locations and faults that can lead to. */
interface Access {
  readonly target: Target;
  readonly address: Dependency;
  readonly symbol: string;
  readonly locations: readonly number[];
  readonly faults: readonly FaultType[];
}

type Is<Kind extends Instruction['kind']> = Instruction & { readonly kind: Kind };

export class Unroller {
  /** Symbols whose addresses were accessed on some path. */
  readonly accessed = new Set<string>();
  readonly #thread: LitmusThread;
  readonly #context: UnrollContext;
  readonly #start: Registers;
  #nodes = 0;
  #readsMax = 0;

  constructor(thread: LitmusThread, context: UnrollContext, start: Registers | undefined) {
    this.#thread = thread;
    this.#context = context;
    this.#start = start ?? new Registers();
  }

  run(): ThreadProgram {
    const root = this.#from(START, {
      registers: this.#start,
      reads: 0,
      visits: new Map(),
      faults: [],
      retried: null,
      returnTo: null,
    });
    return { vcpu: this.#thread.id, root, reads: this.#readsMax };
  }

  #count(): void {
    this.#nodes++;
    if (this.#nodes > this.#context.bounds.nodes) throw new TreeTooLarge();
  }

  #end(outcome: number): EndNode {
    this.#count();
    return { kind: 'end', outcome };
  }

  #finish(at: Point): EndNode {
    const { outcomes } = this.#context;
    return this.#end(outcomes.finished(this.#thread.id, at.registers, at.faults));
  }

  /**
   * The tree from the instruction at `pc` on. A thread ends where its code or its handler's ends.
   */
  #from(pc: CodePoint, at: Point): Node {
    const main = pc.section === 'main';
    const code = main ? this.#thread.instructions : (this.#thread.handler ?? []);
    const instruction = code[pc.index];
    if (!instruction) return this.#finish(at);
    const key = `${pc.section} ${pc.index}`;
    const count = (at.visits.get(key) ?? 0) + 1;
    if (count > this.#context.bounds.visits) return this.#end(this.#context.outcomes.cut());
    const registers = at.registers.copy();
    const visits = new Map(at.visits).set(key, count);
    return this.#instruction(instruction, pc, { ...at, registers, visits });
  }

  /** `at.registers` belongs to this step and may be changed. */
  #instruction(instruction: Instruction, pc: CodePoint, at: Point): Node {
    const { line } = instruction;
    const { registers } = at;
    if (applyLocally(instruction, registers)) return this.#from(behind(pc), at);
    switch (instruction.kind) {
      case 'load':
        return this.#load(instruction, pc, at);
      case 'store':
        return this.#store(instruction, pc, at);
      case 'atomic':
        return this.#atomic(instruction, pc, at);
      case 'dmb':
      case 'dsb':
        this.#count();
        return {
          kind: instruction.kind,
          covers: instruction.covers,
          next: this.#from(behind(pc), at),
        };
      case 'isb':
        this.#count();
        return { kind: 'isb', next: this.#from(behind(pc), at) };
      case 'tlbi':
        return this.#tlbi(instruction, pc, at);
      case 'set-return': {
        const { value } = registers.get(instruction.from, line);
        if (value.kind !== 'label') {
          throw new Unsupported(`a return to ${formatValue(value)}`, line);
        }
        return this.#from(behind(pc), { ...at, returnTo: this.#target(value.label) });
      }
      case 'exception-return':
        if (at.returnTo === null) throw new Unsupported('ERET outside a fault handler', line);
        this.#count();
        return { kind: 'exception', next: this.#from(at.returnTo, { ...at, returnTo: null }) };
      default:
        return this.#jump(instruction, pc, at);
    }
  }

  #jump(instruction: Instruction, pc: CodePoint, at: Point): Node {
    const { line } = instruction;
    const { registers } = at;
    switch (instruction.kind) {
      case 'jump':
        return this.#from(this.#target(instruction.label), at);
      case 'branch-if': {
        const { flags, from } = registers.flags;
        const taken = holds(instruction.condition, flags);
        return this.#branch(taken, instruction.label, from, pc, at);
      }
      case 'branch-zero': {
        const { value, from } = registers.get(instruction.register, line);
        const zero = value.kind === 'number' && value.number === 0n;
        return this.#branch(zero === instruction.ifZero, instruction.label, from, pc, at);
      }
      case 'branch-bit': {
        const { value, from } = registers.get(instruction.register, line);
        if (value.kind !== 'number') throw new Unsupported(`a bit of ${formatValue(value)}`, line);
        const zero = ((value.number >> BigInt(instruction.bit)) & 1n) === 0n;
        return this.#branch(zero === instruction.ifZero, instruction.label, from, pc, at);
      }
      default:
        throw new Error(`no step for ${instruction.text}`);
    }
  }

  #target(label: string): CodePoint {
    const target = this.#thread.labels.get(label);
    assert(target !== undefined, 'the parser has checked every label');
    return target;
  }

  #branch(taken: boolean, label: string, condition: Dependency, pc: CodePoint, at: Point): Node {
    this.#count();
    const next = this.#from(taken ? this.#target(label) : behind(pc), at);
    return { kind: 'branch', condition, next };
  }

  #tlbi(instruction: Is<'tlbi'>, pc: CodePoint, at: Point): Node {
    const { form, address, line } = instruction;
    const operand = address === null ? null : at.registers.get(address, line);
    let symbol: string | null = null;
    if (form.scope === 'address') {
      assert(operand !== null, 'the parser has checked the operand');
      if (operand.value.kind !== 'page') {
        const text = formatValue(operand.value);
        throw new Unsupported(`TLBI of ${text}, which is not a page of a symbol`, line);
      }
      symbol = operand.value.symbol;
    }
    this.#count();
    const op = this.#context.names.tlbi(symbol);
    const receivers = this.#context.receivers.of(this.#thread.id, op, form.broadcast);
    const dependency = operand?.from ?? NO_DEPENDENCY;
    return { kind: 'tlbi', op, receivers, address: dependency, next: this.#from(behind(pc), at) };
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

  #access(address: Address, registers: Registers, write: boolean, line: number): Access {
    const { names, domains } = this.#context;
    const { value, from } = this.#effective(address, registers, line);
    if (value.kind === 'entry') {
      const location = names.entryOf(value.symbol);
      const target: Target = { kind: 'location', location };
      return { target, address: from, symbol: value.symbol, locations: [location], faults: [] };
    }
    if (value.kind !== 'address') {
      throw new Unsupported(`an access to address ${formatValue(value)}`, line);
    }
    this.accessed.add(value.symbol);
    const target: Target = { kind: 'address', address: names.addressOf(value.symbol) };
    const targets = domains.targets(value.symbol, write);
    return { target, address: from, symbol: value.symbol, ...targets };
  }

  /** Values an access may find, once each. */
  #valuesAt(locations: readonly number[]): number[] {
    return [...new Set(locations.flatMap((location) => this.#context.domains.of(location)))];
  }

  /** Counts one more read of the path. */
  #readNumber(at: Point, line: number): number {
    if (at.reads >= READS_MAX)
      throw new Unsupported(`more than ${READS_MAX} loads on one path`, line);
    this.#readsMax = Math.max(this.#readsMax, at.reads + 1);
    return at.reads;
  }

  #load(instruction: Is<'load'>, pc: CodePoint, at: Point): Node {
    const { line, to, order } = instruction;
    this.#count();
    const read = this.#readNumber(at, line);
    const registers = at.registers.copy();
    const access = this.#access(instruction.address, registers, false, line);
    const next = new Map<number, Node>();
    for (const id of this.#valuesAt(access.locations)) {
      const after = registers.copy();
      const value = this.#context.names.values.valueOf(id);
      after.set(to, value, { basic: 1 << read, pick: 1 << read }, line);
      next.set(
        id,
        this.#from(behind(pc), { ...at, registers: after, reads: read + 1, retried: null }),
      );
    }
    const faults = this.#faults(access, instruction, pc, at);
    return {
      kind: 'read',
      target: access.target,
      order,
      read,
      address: access.address,
      next,
      faults,
    };
  }

  #store(instruction: Is<'store'>, pc: CodePoint, at: Point): Node {
    const { line, release } = instruction;
    this.#count();
    const registers = at.registers.copy();
    const data = registers.get(instruction.from, line);
    const access = this.#access(instruction.address, registers, true, line);
    const next = new Map<number, Node>();
    for (const location of access.locations) {
      if (!this.#context.domains.admit(location, data.value)) continue;
      next.set(location, this.#from(behind(pc), { ...at, registers, retried: null }));
    }
    return {
      kind: 'write',
      target: access.target,
      value: this.#context.names.values.idOf(data.value),
      release,
      address: access.address,
      data: data.from,
      next,
      faults: this.#faults(access, instruction, pc, at),
    };
  }

  #atomic(instruction: Is<'atomic'>, pc: CodePoint, at: Point): Node {
    const { line, op, to, operand, width } = instruction;
    const { names, domains } = this.#context;
    this.#count();
    const read = this.#readNumber(at, line);
    const data = at.registers.get(operand, line);
    const compared =
      instruction.expected === null ? null : at.registers.get(instruction.expected, line);
    const access = this.#access(instruction.address, at.registers.copy(), true, line);
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
        (location) => stored === null || domains.admit(location, stored),
      );
      if (locations.length === 0) continue;
      const after = this.#from(behind(pc), { ...at, registers, reads: read + 1, retried: null });
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
      next,
      faults: this.#faults(access, instruction, pc, at),
    };
  }

  #faults(access: Access, instruction: Instruction, pc: CodePoint, at: Point): Map<number, Node> {
    const next = new Map<number, Node>();
    for (const type of access.faults) {
      const { id: thread } = this.#thread;
      const fault: PathFault = { thread, labels: instruction.labels, symbol: access.symbol, type };
      const after = { ...at, faults: [...at.faults, fault] };
      next.set(FAULT_TYPES.indexOf(type), this.#afterFault(instruction, pc, after));
    }
    return next;
  }

  #afterFault(instruction: Instruction, pc: CodePoint, at: Point): Node {
    const { outcomes, handling } = this.#context;
    if (pc.section === 'handler') {
      return this.#end(outcomes.unsupported('faults inside a fault handler', instruction.line));
    }
    if (this.#thread.handler !== null) {
      this.#count();
      const handler: CodePoint = { section: 'handler', index: 0 };
      return { kind: 'exception', next: this.#from(handler, { ...at, returnTo: pc }) };
    }
    switch (handling) {
      case 'end-thread':
        return this.#finish(at);
      case 'next-instruction':
        this.#count();
        return { kind: 'exception', next: this.#from(behind(pc), at) };
      case 'retry':
        if (at.retried === instruction) return this.#end(outcomes.dropped());
        this.#count();
        return { kind: 'exception', next: this.#from(pc, { ...at, retried: instruction }) };
      default:
        return assertNever(handling);
    }
  }
}
