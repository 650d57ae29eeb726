/**
 * One thread of a litmus test as a decision tree. A loop is unrolled a bounded number of times;
 * paths that go round once more are cut, and the result says so.
 *
 * After a fault the handler runs, if there is one; otherwise what `FaultHandling` says. Exception
 * entry and return synchronise context.
 */
import { assert, assertNever } from '../../arch/assert.ts';
import {
  type BoundName,
  type Dependency,
  type EndNode,
  NO_DEPENDENCY,
  type Node,
  type SearchBounds,
  type ThreadProgram,
} from '../../explore/model/index.ts';
import { type Access, AccessNodes } from './access-nodes.ts';
import { holds } from './alu.ts';
import { behind, type CodePoint, codeKey } from '../parse/code-point.ts';
import type { Domains } from './domains.ts';
import { Unsupported } from '../errors.ts';
import type { Instruction } from '../parse/instruction.ts';
import { applyLocally } from './local-step.ts';
import { NO_ORIGINS } from './origins.ts';
import type { Outcomes, PathFault } from '../verdict/outcomes.ts';
import type { Is, Point, Visits } from './path.ts';
import type { Receivers } from './receivers.ts';
import { Registers } from '../parse/registers.ts';
import type { LitmusThread } from '../test-case.ts';
import type { Names } from './translation.ts';
import { formatValue, type Value } from '../parse/value.ts';
import type { FaultHandling } from '../variants.ts';
import { FAULT_TYPES, type Walker } from './walker.ts';

/** The tree of one thread got larger than the bound, or took longer. */
export class TreeTooLarge extends Error {
  override readonly name = 'TreeTooLarge';
  readonly bound: BoundName;

  constructor(bound: BoundName) {
    super(`the bound ${bound} was met`);
    this.bound = bound;
  }
}

export interface UnrollContext {
  readonly names: Names;
  readonly domains: Domains;
  readonly outcomes: Outcomes;
  readonly receivers: Receivers;
  readonly handling: FaultHandling;
  readonly bounds: SearchBounds;
  /** When to stop, by performance.now(). */
  readonly deadlineMs: number;
  /** All threads: one may run into the code of another. */
  readonly threads: readonly LitmusThread[];
}

/** Times a loop goes round that depends on nothing: more, and it may be endless. */
const VISITS_MAX = 1000;

/** Instructions between two looks at the clock. */
const STEPS_PER_LOOK = 256;

/** Instructions with which a path can come back to where it was. */
const RETURNS: ReadonlySet<Instruction['kind']> = new Set(['jump-register', 'exception-return']);

export class Unroller {
  /** The nodes that access memory, and what is known of them all. */
  readonly accesses: AccessNodes;
  readonly #thread: LitmusThread;
  readonly #walker: Walker;
  readonly #context: UnrollContext;
  readonly #start: Registers;
  /** Can a path come to one instruction twice? */
  readonly #loops: boolean;
  #nodes = 0;
  #steps = 0;

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
    this.#loops = canReturn(thread);
    this.accesses = new AccessNodes(thread.id, context, {
      count: () => this.#count(),
      next: (pc, at) => this.#from(behind(pc), at),
      faults: (access, instruction, pc, at) => this.#faults(access, instruction, pc, at),
      walkerAt: (pc) => this.#walkerAt(pc),
    });
  }

  run(): ThreadProgram {
    const root = this.#from(
      { thread: this.#thread.id, section: 'main', index: 0 },
      {
        registers: this.#start,
        reads: 0,
        visits: new Map(),
        faults: [],
        retried: null,
        returnTo: null,
        monitor: null,
        origins: NO_ORIGINS,
      },
    );
    return { vcpu: this.#thread.id, root, reads: this.accesses.readsMax };
  }

  #count(): void {
    this.#nodes++;
    if (this.#nodes > this.#context.bounds.nodes) throw new TreeTooLarge('nodes');
  }

  #end(outcome: number): EndNode {
    this.#count();
    return { kind: 'end', outcome };
  }

  #finish(at: Point): EndNode {
    const { outcomes } = this.#context;
    return this.#end(outcomes.finished(this.#thread.id, at.registers, at.faults));
  }

  /** Every so many instructions, is there time left? */
  #tick(): void {
    this.#steps++;
    if (this.#steps % STEPS_PER_LOOK === 0 && performance.now() > this.#context.deadlineMs) {
      throw new TreeTooLarge('timeMs');
    }
  }

  #codeAt({ thread, section }: CodePoint): readonly Instruction[] {
    const code = this.#context.threads[thread];
    assert(code !== undefined, 'labels are of threads that are there');
    return section === 'main' ? code.instructions : (code.handler ?? []);
  }

  /**
   * The tree from the instruction at `start` on. A thread ends where its code or its handler's ends.
   */
  #from(start: CodePoint, at: Point): Node {
    const code = this.#codeAt(start);
    const registers = at.registers.copy();
    let { visits } = at;
    // Instructions on registers alone make no node: they follow each other here.
    for (let pc = start; ; pc = behind(pc)) {
      const instruction = code[pc.index];
      if (!instruction) return this.#finish({ ...at, registers, visits });
      this.#tick();
      if (this.#loops) {
        const key = codeKey(pc);
        const visit = this.#visit(visits.get(key), at);
        if (visit === null) return this.#end(this.#context.outcomes.cut());
        visits = new Map(visits).set(key, visit);
      }
      const then = { ...at, registers, visits };
      try {
        if (!this.#isLocal(instruction, then)) return this.#instruction(instruction, pc, then);
      } catch (error) {
        // No matter, if no execution takes this path.
        if (!(error instanceof Unsupported)) throw error;
        return this.#end(
          this.#context.outcomes.unsupported(error.feature, error.line ?? instruction.line),
        );
      }
    }
  }

  /** One more visit of an instruction; null if it is one too many. */
  #visit(before: Visits | undefined, { reads, faults }: Point): Visits | null {
    const chances = reads + faults.length;
    const times = (before?.times ?? 0) + 1;
    // Where nothing was left open since, the loop counts by itself, and its end is certain.
    const isOpen = before === undefined || chances !== before.chances;
    const open = (before?.open ?? 0) + (isOpen ? 1 : 0);
    if (open > this.#context.bounds.visits || times > VISITS_MAX) return null;
    return { times, open, chances };
  }

  /** Does a register instruction. False if it is more than that. */
  #isLocal(instruction: Instruction, { registers, returnTo }: Point): boolean {
    const { line } = instruction;
    if (instruction.kind === 'label-address') {
      const { label } = instruction;
      const value: Value = { kind: 'code', at: this.#target(instruction, label), label };
      registers.set(instruction.to, value, NO_DEPENDENCY, line);
      return true;
    }
    if (instruction.kind === 'read-return') {
      if (returnTo === null) throw new Unsupported('ELR_EL1 outside a fault handler', line);
      const value: Value = { kind: 'code', at: returnTo, label: this.#labelOf(returnTo) };
      registers.set(instruction.to, value, NO_DEPENDENCY, line);
      return true;
    }
    return applyLocally(instruction, registers);
  }

  /** `at.registers` belongs to this step and may be changed. */
  #instruction(instruction: Instruction, pc: CodePoint, at: Point): Node {
    const { line } = instruction;
    const { registers } = at;
    switch (instruction.kind) {
      case 'load':
        return this.accesses.load(instruction, pc, at);
      case 'load-pair':
        return this.accesses.loadPair(instruction, pc, at);
      case 'store':
        return this.accesses.store(instruction, pc, at);
      case 'store-pair':
        return this.accesses.storePair(instruction, pc, at);
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
        if (value.kind !== 'code') {
          throw new Unsupported(`a return to ${formatValue(value)}`, line);
        }
        return this.#from(behind(pc), { ...at, returnTo: value.at });
      }
      case 'exception-return':
        if (at.returnTo === null) throw new Unsupported('ERET outside a fault handler', line);
        this.#count();
        return { kind: 'exception', next: this.#from(at.returnTo, { ...at, returnTo: null }) };
      case 'exception':
        return this.#exception(instruction, pc, at);
      default:
        return this.#jump(instruction, pc, at);
    }
  }

  #jump(instruction: Instruction, pc: CodePoint, at: Point): Node {
    const { line } = instruction;
    const { registers } = at;
    switch (instruction.kind) {
      case 'jump':
        if (instruction.link) this.#link(pc, at);
        return this.#from(this.#target(instruction, instruction.label), at);
      case 'jump-register': {
        const { value, from } = registers.get(instruction.register, line);
        if (value.kind !== 'code') throw new Unsupported(`a jump to ${formatValue(value)}`, line);
        if (instruction.link) this.#link(pc, at);
        this.#count();
        return { kind: 'branch', condition: from, next: this.#from(value.at, depending(at, from)) };
      }
      case 'branch-if': {
        const { flags, from } = registers.flags;
        const taken = holds(instruction.condition, flags);
        return this.#branch(taken, instruction, from, pc, at);
      }
      case 'branch-zero': {
        const { value, from } = registers.get(instruction.register, line);
        const zero = value.kind === 'number' && value.number === 0n;
        return this.#branch(zero === instruction.ifZero, instruction, from, pc, at);
      }
      case 'branch-bit': {
        const { value, from } = registers.get(instruction.register, line);
        if (value.kind !== 'number') throw new Unsupported(`a bit of ${formatValue(value)}`, line);
        const zero = ((value.number >> BigInt(instruction.bit)) & 1n) === 0n;
        return this.#branch(zero === instruction.ifZero, instruction, from, pc, at);
      }
      default:
        throw new Error(`no step for ${instruction.text}`);
    }
  }

  /** A label belongs to the thread in whose code it is used. */
  #target(instruction: Instruction, label: string): CodePoint {
    const code = this.#context.threads.find(
      ({ instructions, handler }) =>
        instructions.includes(instruction) || handler?.includes(instruction),
    );
    const target = code?.labels.get(label);
    assert(target !== undefined, 'the parser has checked every label');
    return target;
  }

  #labelOf(point: CodePoint): string | null {
    const labels = this.#context.threads[point.thread]?.labels ?? new Map<string, CodePoint>();
    const key = codeKey(point);
    return [...labels].find(([, target]) => codeKey(target) === key)?.[0] ?? null;
  }

  /** BL, BLR: X30 says where RET goes. */
  #link(pc: CodePoint, { registers }: Point): void {
    const next = behind(pc);
    const value: Value = { kind: 'code', at: next, label: this.#labelOf(next) };
    registers.set({ name: 'X30', width: 64 }, value, NO_DEPENDENCY, 0);
  }

  #branch(
    taken: boolean,
    instruction: Instruction & { readonly label: string },
    condition: Dependency,
    pc: CodePoint,
    at: Point,
  ): Node {
    this.#count();
    const to = taken ? this.#target(instruction, instruction.label) : behind(pc);
    return { kind: 'branch', condition, next: this.#from(to, depending(at, condition)) };
  }

  /** What comes back from a handler goes on behind SVC, but at UDF again. */
  #exception(instruction: Is<'exception'>, pc: CodePoint, at: Point): Node {
    const { type, line, labels } = instruction;
    const isCall = type === 'SupervisorCall';
    const fault: PathFault = { thread: this.#thread.id, labels, symbol: null, type };
    const after = { ...at, faults: [...at.faults, fault], monitor: null };
    if (pc.section === 'handler') {
      return this.#end(
        this.#context.outcomes.unsupported('exceptions inside a fault handler', line),
      );
    }
    this.#count();
    if (this.#thread.handler !== null) return this.#handle(isCall ? behind(pc) : pc, after);
    const { handling } = this.#context;
    if (handling === 'end-thread') return this.#finish(after);
    if (handling === 'retry' && !isCall) return this.#end(this.#context.outcomes.dropped());
    return { kind: 'exception', next: this.#from(behind(pc), after) };
  }

  #handle(returnTo: CodePoint, at: Point): Node {
    const handler: CodePoint = { thread: this.#thread.id, section: 'handler', index: 0 };
    return { kind: 'exception', next: this.#from(handler, { ...at, returnTo, monitor: null }) };
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
      return this.#handle(pc, at);
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

/** What follows depends on these reads. */
function depending(at: Point, { basic, pick }: Dependency): Point {
  const control = at.origins.control | basic | pick;
  return { ...at, origins: { ...at.origins, control } };
}

/** A branch back, a jump to wherever a register says, or a handler that returns. */
function canReturn({ instructions, handler, labels }: LitmusThread): boolean {
  return [instructions, handler ?? []].some((code) =>
    code.some((instruction, index) => {
      if (RETURNS.has(instruction.kind)) return true;
      if (!('label' in instruction) || instruction.kind === 'label-address') return false;
      const target = labels.get(instruction.label);
      return target !== undefined && target.index <= index;
    }),
  );
}
