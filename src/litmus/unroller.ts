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
  type SearchBounds,
  type ThreadProgram,
} from '../explore/model/index.ts';
import { type Access, AccessNodes } from './access-nodes.ts';
import { holds } from './alu.ts';
import type { Domains } from './domains.ts';
import { Unsupported } from './errors.ts';
import type { Instruction } from './instruction.ts';
import { applyLocally } from './local-step.ts';
import type { Outcomes, PathFault } from './outcomes.ts';
import { behind, type Is, keyOf, type Point } from './path.ts';
import type { Receivers } from './receivers.ts';
import { Registers } from './registers.ts';
import type { CodePoint, LitmusThread } from './test-case.ts';
import type { Names } from './translation.ts';
import { formatValue } from './value.ts';
import { FAULT_TYPES, type Walker } from './walker.ts';

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

const START: CodePoint = { section: 'main', index: 0 };

export class Unroller {
  /** The nodes that access memory, and what is known of them all. */
  readonly accesses: AccessNodes;
  readonly #thread: LitmusThread;
  readonly #walker: Walker;
  readonly #context: UnrollContext;
  readonly #start: Registers;
  #nodes = 0;

  constructor(
    thread: LitmusThread,
    walker: Walker,
    context: UnrollContext,
    start: Registers | undefined,
  ) {
    this.#thread = thread;
    this.#walker = walker;
    this.#context = context;
    this.#start = start ?? new Registers();
    this.accesses = new AccessNodes(context, {
      count: () => this.#count(),
      next: (pc, at) => this.#from(behind(pc), at),
      faults: (access, instruction, pc, at) => this.#faults(access, instruction, pc, at),
      walkerAt: (pc) => this.#walkerAt(pc),
    });
  }

  run(): ThreadProgram {
    const root = this.#from(START, {
      registers: this.#start,
      reads: 0,
      visits: new Map(),
      faults: [],
      retried: null,
      returnTo: null,
      monitor: null,
    });
    return { vcpu: this.#thread.id, root, reads: this.accesses.readsMax };
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
    const key = keyOf(pc);
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
        return this.accesses.load(instruction, pc, at);
      case 'store':
        return this.accesses.store(instruction, pc, at);
      case 'store-exclusive':
        return this.accesses.storeExclusive(instruction, pc, at);
      case 'atomic':
        return this.accesses.atomic(instruction, pc, at);
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

  /** At EL0 in the main code; the fault handler is at EL1. */
  #walkerAt(pc: CodePoint): Walker {
    return pc.section === 'main' ? this.#walker : { ...this.#walker, user: false };
  }

  #tlbi(instruction: Is<'tlbi'>, pc: CodePoint, at: Point): Node {
    const { form, address, line } = instruction;
    if (this.#walkerAt(pc).user) throw new Unsupported('TLBI at EL0', line);
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
      return {
        kind: 'exception',
        next: this.#from(handler, { ...at, returnTo: pc, monitor: null }),
      };
    }
    switch (handling) {
      case 'end-thread':
        return this.#finish(at);
      case 'next-instruction':
        this.#count();
        return { kind: 'exception', next: this.#from(behind(pc), { ...at, monitor: null }) };
      case 'retry':
        if (at.retried === instruction) return this.#end(outcomes.dropped());
        this.#count();
        return {
          kind: 'exception',
          next: this.#from(pc, { ...at, retried: instruction, monitor: null }),
        };
      default:
        return assertNever(handling);
    }
  }
}
