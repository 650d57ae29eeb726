/**
 * Operands of one instruction, as its parser asks for them. Every complaint shows the instruction
 * and its line.
 */
import { LitmusSyntaxError, Unsupported } from './errors.ts';
import {
  type Address,
  CONDITIONS,
  type Condition,
  type Operand,
  type Register,
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

  label(index: number): string {
    const text = this.list[index] ?? '';
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) throw this.expected('a label');
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
    if (name === null) throw this.expected('a register X0 to X30, W0 to W30, XZR or WZR');
    return { name, width: /^W/i.test(text ?? '') ? 32 : 64 };
  }

  #immediateOf(text: string | undefined): bigint {
    const match = /^#?(-?)(0x[0-9a-fA-F]+|[0-9]+)$/.exec(text ?? '');
    if (!match) throw this.expected('an immediate');
    const value = BigInt(match[2] as string);
    return match[1] === '-' ? -value : value;
  }

  #operandOf([first, modifier]: readonly string[]): Operand {
    if (registerName(first ?? '') === null) {
      if (modifier !== undefined) throw this.unsupported('shifted immediates');
      return { kind: 'immediate', value: this.#immediateOf(first) };
    }
    const shiftLeft = this.#shiftOf(modifier);
    return { kind: 'register', register: this.#registerOf(first), shiftLeft };
  }

  /** `LSL #n`, or an extension, which does nothing to the small numbers tests use. */
  #shiftOf(text: string | undefined): number {
    if (text === undefined) return 0;
    const match = /^(LSL|SXTW|UXTW|SXTX|UXTX)(?:\s+(#?[0-9]+))?$/i.exec(text);
    if (!match) throw this.unsupported(`operand modifier ${text}`);
    return match[2] === undefined ? 0 : Number(this.#immediateOf(match[2]));
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
