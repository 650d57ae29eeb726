/**
 * The A64 instructions a litmus test may use, as far as their memory effects and dependencies
 * matter.
 *
 * Left out, and reported with their line: exclusive and ordered pairs, vector accesses, address
 * translation (AT), system registers other than ELR_EL1 and NZCV, instruction fetch.
 */
import type { BarrierKind, ReadOrder } from '../../explore/model/index.ts';

/**
 * `name` is `X0` to `X30`, or `ZR`; a W register is the same register, read and written as 32 bits.
 */
export interface Register {
  readonly name: string;
  readonly width: 32 | 64;
}

/** What is done to a register before it is used: a shift, or an extension and then a left shift. */
export const SHIFTS = ['lsl', 'lsr', 'asr', 'ror'] as const;
export const EXTENSIONS = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'] as const;
export interface Modifier {
  readonly kind: (typeof SHIFTS)[number] | (typeof EXTENSIONS)[number];
  readonly amount: number;
}

export type Operand =
  | {
      readonly kind: 'register';
      readonly register: Register;
      /** Null: used as it is. */
      readonly modifier: Modifier | null;
    }
  | { readonly kind: 'immediate'; readonly value: bigint };

export type AccessBits = 8 | 16 | 32 | 64;

/** `[base]`, `[base, offset]`, `[base], #post` or `[base, #pre]!`. */
export interface Address {
  readonly base: Register;
  readonly offset: Operand | null;
  readonly writeBack: 'none' | 'pre' | 'post';
}

export const ALU_OPS = [
  'add',
  'sub',
  'and',
  'orr',
  'eor',
  'bic',
  'orn',
  'eon',
  'lsl',
  'lsr',
  'asr',
  'ror',
] as const;
export type AluOp = (typeof ALU_OPS)[number];

export const CONDITIONS = [
  'eq',
  'ne',
  'cs',
  'cc',
  'mi',
  'pl',
  'hi',
  'ls',
  'ge',
  'lt',
  'gt',
  'le',
  'vs',
  'vc',
  'al',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** FEAT_LSE: one load and one store that nothing comes between. */
export type AtomicOp = 'swap' | 'compare-and-swap' | 'add' | 'clear' | 'set' | 'exclusive-or';

/** `address`: by VA. `all`: every translation. */
export interface TlbiForm {
  readonly scope: 'address' | 'all';
  readonly broadcast: boolean;
}

export const EXCEPTION_TYPES = ['SupervisorCall', 'UndefinedInstruction'] as const;
export type ExceptionType = (typeof EXCEPTION_TYPES)[number];

export type InstructionBody =
  | { readonly kind: 'nop' }
  | { readonly kind: 'move'; readonly to: Register; readonly from: Operand }
  | {
      readonly kind: 'alu';
      readonly op: AluOp;
      readonly to: Register;
      readonly left: Register;
      readonly right: Operand;
      readonly setsFlags: boolean;
    }
  | {
      readonly kind: 'select';
      readonly to: Register;
      readonly yes: Operand;
      readonly no: Operand;
      /** CSINC, CSINV, CSNEG: what becomes of `no` if it is picked. */
      readonly otherwise: 'same' | 'increment' | 'invert' | 'negate';
      readonly condition: Condition;
    }
  /** Arithmetic on numbers alone: its result flows from all of its inputs. */
  | {
      readonly kind: 'compute';
      readonly to: Register;
      readonly inputs: readonly Operand[];
      readonly result: (inputs: readonly bigint[]) => bigint;
    }
  | {
      readonly kind: 'load';
      readonly to: Register;
      readonly address: Address;
      readonly bits: AccessBits;
      /** LDRSB and the like: what was loaded is extended by its sign. */
      readonly signed?: true;
      readonly order: ReadOrder;
      /** LDXR, LDAXR. */
      readonly exclusive?: true;
    }
  /** STXR, STLXR: 0 in `status` if the store was made, else 1. */
  | {
      readonly kind: 'store-exclusive';
      readonly status: Register;
      readonly from: Register;
      readonly address: Address;
      readonly bits: AccessBits;
      readonly release: boolean;
    }
  | {
      readonly kind: 'store';
      readonly from: Register;
      readonly address: Address;
      readonly bits: AccessBits;
      readonly release: boolean;
    }
  /** LDP, STP: two accesses side by side, neither ordered before the other. */
  | {
      readonly kind: 'load-pair';
      readonly to: readonly [Register, Register];
      readonly address: Address;
      readonly bits: AccessBits;
      readonly signed?: true;
    }
  | {
      readonly kind: 'store-pair';
      readonly from: readonly [Register, Register];
      readonly address: Address;
      readonly bits: AccessBits;
    }
  | {
      readonly kind: 'atomic';
      readonly op: AtomicOp;
      /** Where the loaded value goes; null for the forms that return none (STADD). */
      readonly to: Register | null;
      readonly operand: Register;
      /** CAS: what to compare with; it is also where the loaded value goes. */
      readonly expected: Register | null;
      readonly address: Address;
      readonly acquire: boolean;
      readonly release: boolean;
      readonly bits: AccessBits;
    }
  | { readonly kind: 'dmb' | 'dsb'; readonly covers: BarrierKind }
  | { readonly kind: 'isb' }
  | { readonly kind: 'label-address'; readonly to: Register; readonly label: string }
  /** MRS and MSR of the flags. */
  | { readonly kind: 'read-flags'; readonly to: Register }
  | { readonly kind: 'write-flags'; readonly from: Register }
  /** MRS ELR_EL1: the instruction that ERET goes to. */
  | { readonly kind: 'read-return'; readonly to: Register }
  /** MSR ELR_EL1: where ERET goes. */
  | { readonly kind: 'set-return'; readonly from: Register }
  | { readonly kind: 'exception-return' }
  /** SVC, UDF: an exception that is no matter of memory. */
  | { readonly kind: 'exception'; readonly type: ExceptionType }
  | { readonly kind: 'tlbi'; readonly form: TlbiForm; readonly address: Register | null }
  | { readonly kind: 'jump'; readonly label: string; readonly link?: true }
  /** BR, BLR, RET: what follows depends on the register. */
  | { readonly kind: 'jump-register'; readonly register: Register; readonly link?: true }
  | { readonly kind: 'branch-if'; readonly condition: Condition; readonly label: string }
  | {
      readonly kind: 'branch-zero';
      readonly register: Register;
      readonly ifZero: boolean;
      readonly label: string;
    }
  | {
      readonly kind: 'branch-bit';
      readonly register: Register;
      readonly bit: number;
      readonly ifZero: boolean;
      readonly label: string;
    };

export type Instruction = InstructionBody & {
  readonly line: number;
  /** Labels that stand right before it. */
  readonly labels: readonly string[];
  readonly text: string;
};
