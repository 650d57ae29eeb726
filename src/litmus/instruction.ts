/**
 * The A64 instructions a litmus test may use, as far as their memory effects and dependencies
 * matter.
 *
 * Left out, and reported with their line: exclusive pairs, pairs, sub-word and vector accesses, SVC,
 * system registers other than ELR_EL1, instruction fetch.
 */
import type { BarrierKind, ReadOrder } from '../explore/model/index.ts';

/**
 * `name` is `X0` to `X30`, or `ZR`; a W register is the same register, read and written as 32 bits.
 */
export interface Register {
  readonly name: string;
  readonly width: 32 | 64;
}

export type Operand =
  | { readonly kind: 'register'; readonly register: Register; readonly shiftLeft: number }
  | { readonly kind: 'immediate'; readonly value: bigint };

/** `[base]`, `[base, offset]`, `[base], #post` or `[base, #pre]!`. */
export interface Address {
  readonly base: Register;
  readonly offset: Operand | null;
  readonly writeBack: 'none' | 'pre' | 'post';
}

export const ALU_OPS = ['add', 'sub', 'and', 'orr', 'eor', 'bic', 'lsl', 'lsr'] as const;
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
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** FEAT_LSE: one load and one store that nothing comes between. */
export type AtomicOp = 'swap' | 'compare-and-swap' | 'add' | 'clear' | 'set' | 'exclusive-or';

/** `address`: by VA. `all`: every translation. */
export interface TlbiForm {
  readonly scope: 'address' | 'all';
  readonly broadcast: boolean;
}

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
      readonly condition: Condition;
    }
  | {
      readonly kind: 'load';
      readonly to: Register;
      readonly address: Address;
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
      readonly release: boolean;
    }
  | {
      readonly kind: 'store';
      readonly from: Register;
      readonly address: Address;
      readonly release: boolean;
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
      readonly width: 32 | 64;
    }
  | { readonly kind: 'dmb' | 'dsb'; readonly covers: BarrierKind }
  | { readonly kind: 'isb' }
  /** ADR of a label: only a fault handler that sets ELR_EL1 uses it. */
  | { readonly kind: 'label-address'; readonly to: Register; readonly label: string }
  /** MSR ELR_EL1: where ERET goes. */
  | { readonly kind: 'set-return'; readonly from: Register }
  | { readonly kind: 'exception-return' }
  | { readonly kind: 'tlbi'; readonly form: TlbiForm; readonly address: Register | null }
  | { readonly kind: 'jump'; readonly label: string }
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
