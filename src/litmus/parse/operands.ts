/**
 * Operands of one instruction, as its parser asks for them. Every complaint shows the instruction
 * and its line.
 */
import { LitmusSyntaxError, Unsupported } from '../errors.ts';
import {
  type Address,
  CONDITIONS,
  type Condition,
  EXTENSIONS,
  type Modifier,
  type Operand,
  type Register,
  SHIFTS,
} from './instruction.ts';
import { registerName } from './parse-value.ts';

export class Operands {
  readonly mnemonic: string;
  readonly list: readonly string[];
  readonly #file: string;
  readonly #line: number;
  readonly #text: string;

  constructor(file: string, line: number, text: string) {
    this.#file = file;
    this.#line = line;
    this.#text = text;
    const match = /^([A-Za-z][A-Za-z0-9.]*)\s*(.*)$/s.exec(text);
    if (!match) throw this.expected('an instruction');
    this.mnemonic = (match[1] as string).toUpperCase();
    this.list = splitOperands(match[2] as string);
  }

  expected(what: string): LitmusSyntaxError {
    return new LitmusSyntaxError(this.#file, this.#line, what, `"${this.#text}"`);
  }

  unsupported(feature: string): Unsupported {
    return new Unsupported(feature, this.#line);
  }

  count(least: number, most = least): this {
    if (this.list.length >= least && this.list.length <= most) return this;
    const range = least === most ? `${least}` : `${least} to ${most}`;
    throw this.expected(`${range} operand${most === 1 ? '' : 's'}`);
  }

  register(index: number): Register {
    return this.#registerOf(this.list[index]);
  }

  immediate(index: number): bigint {
    return this.#immediateOf(this.list[index]);
  }

  /** The number of a bit, below `width`. */
  bit(index: number, width: number): number {
    const value = this.immediate(index);
    if (value < 0n || value >= BigInt(width)) throw this.expected(`a number below ${width}`);
    return Number(value);
  }

  /** `LSL #16`: by how much, below `width`. */
  leftShift(index: number, width: 32 | 64): number {
    const modifier = this.#modifierOf(this.list[index] ?? '', width);
    if (modifier.kind !== 'lsl') throw this.expected('a shift such as LSL #16');
    return modifier.amount;
  }

  /** A name, or `.+8`: so many bytes from here. */
  label(index: number): string {
    const text = this.list[index] ?? '';
    if (!/^(?:[A-Za-z_.][A-Za-z0-9_.$]*|\.[+-][0-9]+)$/.test(text)) throw this.expected('a label');
    return text;
  }

  condition(text: string | undefined): Condition {
    const aliases: Readonly<Record<string, Condition>> = { hs: 'cs', lo: 'cc' };
    const lower = (text ?? '').toLowerCase();
    const condition = aliases[lower] ?? CONDITIONS.find((known) => known === lower);
    if (!condition) throw this.expected('a condition such as EQ or NE');
    return condition;
  }

  /** A register or an immediate at `index`, with an optional `LSL #n` behind it. */
  operand(index: number): Operand {
    return this.#operandOf(this.list.slice(index));
  }

  /** `[X1]`, `[X1,#8]`, `[X1,W2,SXTW]`, `[X1,#8]!`, or `[X1],#8` over two operands. */
  address(index: number): Address {
    const match = /^\[([^\]]*)\](!?)$/.exec(this.list[index] ?? '');
    if (!match) throw this.expected('an address such as [X1]');
    const [first, ...inside] = splitOperands(match[1] as string);
    const base = this.#registerOf(first);
    if (base.width !== 64) throw this.expected('a 64-bit base register');
    const post = this.list[index + 1];
    if (post !== undefined) return { base, offset: this.#operandOf([post]), writeBack: 'post' };
    const offset = inside.length === 0 ? null : this.#operandOf(inside);
    return { base, offset, writeBack: match[2] === '!' ? 'pre' : 'none' };
  }

  #registerOf(text: string | undefined): Register {
    const name = registerName(text ?? '');
    if (/^%|%/.test(text ?? '')) throw this.unsupported('symbolic registers');
    if (name === null && /^(?:[BCHSDQVZP][0-9]+|CSP)\b/i.test(text ?? ''))
      throw this.unsupported(`register ${text}`);
    if (name === null) throw this.expected('a register X0 to X30, W0 to W30, XZR or WZR');
    return { name, width: /^W/i.test(text ?? '') ? 32 : 64 };
  }

  #immediateOf(text: string | undefined): bigint {
    const match = /^#?(-?)(0x[0-9a-fA-F]+|[0-9]+)$/.exec(text ?? '');
    if (!match) throw this.expected('an immediate');
    const value = BigInt(match[2] as string);
    if (value >= 1n << 64n) throw this.expected('an immediate of at most 64 bits');
    return match[1] === '-' ? -value : value;
  }

  #operandOf([first, modifier]: readonly string[]): Operand {
    if (registerName(first ?? '') === null && !first?.includes('%')) {
      const value = this.#immediateOf(first);
      if (modifier === undefined) return { kind: 'immediate', value };
      const { kind, amount } = this.#modifierOf(modifier, 64);
      if (kind !== 'lsl') throw this.expected('an immediate shifted by LSL');
      return { kind: 'immediate', value: value << BigInt(amount) };
    }
    const register = this.#registerOf(first);
    if (modifier === undefined) return { kind: 'register', register, modifier: null };
    return { kind: 'register', register, modifier: this.#modifierOf(modifier, 64) };
  }

  /** `LSL #n`, `SXTW`, `UXTB #2`: shifts are below the width of the register, which is 64 at most. */
  #modifierOf(text: string, width: 32 | 64): Modifier {
    const match = /^([A-Za-z]+)\s*(#?[0-9]+)?$/.exec(text);
    const name = (match?.[1] ?? '').toLowerCase();
    const amount = match?.[2] === undefined ? null : Number(this.#immediateOf(match[2]));
    const extension = EXTENSIONS.find((known) => known === name);
    if (extension) {
      if (amount !== null && amount > 4)
        throw this.expected('a shift by 0 to 4 behind an extension');
      return { kind: extension, amount: amount ?? 0 };
    }
    const shift = SHIFTS.find((known) => known === name);
    if (!shift) throw this.unsupported(`operand modifier ${text}`);
    if (amount === null || amount >= width) throw this.expected(`a shift by 0 to ${width - 1}`);
    return { kind: shift, amount };
  }
}

/** Cuts at commas outside brackets. */
function splitOperands(text: string): string[] {
  const operands: string[] = [];
  let depth = 0;
  let current = '';
  for (const c of text) {
    if (c === '[') depth++;
    if (c === ']') depth--;
    if (c === ',' && depth === 0) {
      operands.push(current.trim());
      current = '';
    } else {
      current += c;
    }
  }
  if (current.trim() !== '' || operands.length > 0) operands.push(current.trim());
  return operands;
}
