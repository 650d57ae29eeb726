/**
 * One A64 instruction, from its text to an `InstructionBody`: a table from mnemonics to what they
 * are.
 */
import type { BarrierKind } from '../../explore/model/index.ts';
import {
  type AluOp,
  ALU_OPS,
  type ExceptionType,
  type InstructionBody,
  type Register,
  type TlbiForm,
} from './instruction.ts';
import { Operands } from './operands.ts';
import { parseAccess } from './parse-access.ts';
import { ARITHMETIC } from './parse-arithmetic.ts';
import { parseAtomic } from './parse-atomic.ts';

type Parse = (o: Operands) => InstructionBody;

const BARRIER_DOMAINS = new Set(['', 'SY', 'ISH', 'OSH', 'NSH']);

/** TLBIs that act at EL1 on an address or on everything: ASIDs and VMIDs are all the same here. */
const TLBI_FORMS: Readonly<Record<string, TlbiForm['scope']>> = {
  VAE1: 'address',
  VAAE1: 'address',
  VALE1: 'address',
  VAALE1: 'address',
  VMALLE1: 'all',
  ASIDE1: 'all',
  VMALLS12E1: 'all',
  ALLE1: 'all',
};

const move: Parse = (o) => ({ kind: 'move', to: o.count(2).register(0), from: o.operand(1) });

/** MOVZ: an immediate, shifted. */
const moveImmediate: Parse = (o) => {
  const to = o.count(2, 3).register(0);
  const shift = o.list[2] === undefined ? 0 : o.leftShift(2, to.width);
  return { kind: 'move', to, from: { kind: 'immediate', value: o.immediate(1) << BigInt(shift) } };
};

const alu =
  (op: AluOp, setsFlags: boolean): Parse =>
  (o) => {
    o.count(3, 4);
    const right = o.operand(2);
    return { kind: 'alu', op, to: o.register(0), left: o.register(1), right, setsFlags };
  };

/** CMP and TST: SUBS and ANDS whose result goes nowhere. */
const compare =
  (op: AluOp): Parse =>
  (o) => {
    const left = o.count(2, 3).register(0);
    const to = { name: 'ZR', width: left.width };
    return { kind: 'alu', op, to, left, right: o.operand(1), setsFlags: true };
  };

/** `ISHLD`: loads, within the inner-shareable domain; all PEs are in it. */
const covers = (o: Operands): BarrierKind => {
  const option = (o.count(0, 1).list[0] ?? '').toUpperCase();
  if (BARRIER_DOMAINS.has(option)) return 'full';
  const domain = option.slice(0, -2);
  if (BARRIER_DOMAINS.has(domain) && domain !== 'SY') {
    if (option.endsWith('LD')) return 'load';
    if (option.endsWith('ST')) return 'store';
  }
  throw o.expected('a barrier option such as SY, ISH, ISHST or LD');
};

const tlbi: Parse = (o) => {
  const name = (o.count(1, 2).list[0] ?? '').toUpperCase();
  const broadcast = name.endsWith('IS');
  const scope = TLBI_FORMS[broadcast ? name.slice(0, -2) : name];
  if (!scope) throw o.unsupported(`TLBI ${name}`);
  const address = o.list[1] === undefined ? null : o.register(1);
  if (scope === 'address' && address === null) {
    throw o.expected('a register with the address to invalidate');
  }
  return { kind: 'tlbi', form: { scope, broadcast }, address };
};

const branchZero =
  (ifZero: boolean): Parse =>
  (o) => ({ kind: 'branch-zero', register: o.count(2).register(0), ifZero, label: o.label(1) });

const branchBit =
  (ifZero: boolean): Parse =>
  (o) => {
    const register = o.count(3).register(0);
    const bit = o.bit(1, register.width);
    return { kind: 'branch-bit', register, bit, ifZero, label: o.label(2) };
  };

type Otherwise = Extract<InstructionBody, { kind: 'select' }>['otherwise'];

const select =
  (otherwise: Otherwise): Parse =>
  (o) => {
    const condition = o.count(4).condition(o.list[3]);
    const yes = { kind: 'register', register: o.register(1), modifier: null } as const;
    const no = { kind: 'register', register: o.register(2), modifier: null } as const;
    return { kind: 'select', to: o.register(0), yes, no, otherwise, condition };
  };

/** CSET and CSETM: 1, or all ones, if the condition holds, else 0. */
const set =
  (value: bigint): Parse =>
  (o) => {
    const condition = o.count(2).condition(o.list[1]);
    const yes = { kind: 'immediate', value } as const;
    const no = { kind: 'immediate', value: 0n } as const;
    return { kind: 'select', to: o.register(0), yes, no, otherwise: 'same', condition };
  };

const writeSystem: Parse = (o) => {
  switch (o.count(2).list[0]?.toUpperCase()) {
    case 'ELR_EL1':
      return { kind: 'set-return', from: o.register(1) };
    case 'NZCV':
      return { kind: 'write-flags', from: o.register(1) };
    default:
      throw o.unsupported(`MSR ${o.list[0]}`);
  }
};

const readSystem: Parse = (o) => {
  const to = o.count(2).register(0);
  switch (o.list[1]?.toUpperCase()) {
    case 'ELR_EL1':
      return { kind: 'read-return', to };
    case 'NZCV':
      return { kind: 'read-flags', to };
    default:
      throw o.unsupported(`MRS ${o.list[1]}`);
  }
};

/** SVC #0, UDF #0: the immediate is for the handler alone. */
const exception =
  (type: ExceptionType): Parse =>
  (o) => {
    if (o.count(0, 1).list[0] !== undefined) o.immediate(0);
    return { kind: 'exception', type };
  };

const LINK_REGISTER: Register = { name: 'X30', width: 64 };

const jumpRegister =
  (link: { readonly link?: true }): Parse =>
  (o) => ({ kind: 'jump-register', register: o.count(1).register(0), ...link });

const goBack: Parse = (o) => {
  const register = o.count(0, 1).list[0] === undefined ? LINK_REGISTER : o.register(0);
  return { kind: 'jump-register', register };
};

const MNEMONICS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['NOP', (o) => (o.count(0), { kind: 'nop' })],
  ['MOV', move],
  ['MOVZ', moveImmediate],
  ...ALU_OPS.flatMap((op): [string, Parse][] => [
    [op.toUpperCase(), alu(op, false)],
    [`${op.toUpperCase()}S`, alu(op, true)],
  ]),
  ['CMP', compare('sub')],
  ['TST', compare('and')],
  ['CSEL', select('same')],
  ['CSINC', select('increment')],
  ['CSINV', select('invert')],
  ['CSNEG', select('negate')],
  ['CSET', set(1n)],
  ['CSETM', set(-1n)],
  ['DMB', (o) => ({ kind: 'dmb', covers: covers(o) })],
  ['DSB', (o) => ({ kind: 'dsb', covers: covers(o) })],
  ['ISB', (o) => (o.count(0, 1), { kind: 'isb' })],
  ['TLBI', tlbi],
  ['B', (o) => ({ kind: 'jump', label: o.count(1).label(0) })],
  ['CBZ', branchZero(true)],
  ['CBNZ', branchZero(false)],
  ['TBZ', branchBit(true)],
  ['TBNZ', branchBit(false)],
  ['ADR', (o) => ({ kind: 'label-address', to: o.count(2).register(0), label: o.label(1) })],
  ['MSR', writeSystem],
  ['MRS', readSystem],
  ['SVC', exception('SupervisorCall')],
  ['UDF', exception('UndefinedInstruction')],
  ['BL', (o) => ({ kind: 'jump', label: o.count(1).label(0), link: true })],
  ['BR', jumpRegister({})],
  ['BLR', jumpRegister({ link: true })],
  ['RET', goBack],
  ...ARITHMETIC,
  ['ERET', (o) => (o.count(0), { kind: 'exception-return' })],
]);

export function parseInstruction(file: string, line: number, text: string): InstructionBody {
  const operands = new Operands(file, line, text);
  const { mnemonic } = operands;
  const parse = MNEMONICS.get(mnemonic);
  if (parse) return parse(operands);
  if (mnemonic.startsWith('B.')) {
    const condition = operands.count(1).condition(mnemonic.slice(2));
    return { kind: 'branch-if', condition, label: operands.label(0) };
  }
  const access = parseAccess(operands) ?? parseAtomic(operands);
  if (access) return access;
  throw operands.unsupported(`instruction ${mnemonic}`);
}
