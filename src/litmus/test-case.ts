/** A parsed litmus test. */
import type { CodePoint } from './parse/code-point.ts';
import type { Instruction } from './parse/instruction.ts';
import type { IntegerType } from './parse/integer-type.ts';
import type { Value } from './parse/value.ts';

/**
 * A place a test can name: a register of a thread, a symbol's memory (an element of it, if it is an
 * array), or a symbol's table entry. An array without an element is all of it.
 */
export type Place =
  | { readonly kind: 'register'; readonly thread: number; readonly register: string }
  | { readonly kind: 'memory'; readonly symbol: string; readonly element: number | null }
  | { readonly kind: 'entry'; readonly symbol: string };

export interface InitialValue {
  readonly place: Place;
  readonly value: Value;
  readonly line: number;
}

/** What the initial state declares of a symbol. */
export interface Declaration {
  readonly type: IntegerType;
  /** Elements of an array; null: it is none. */
  readonly length: number | null;
}

/** `fault(P0:L0,x,MMU:Permission)`; what is null is not asked. */
export interface FaultAtom {
  readonly kind: 'fault';
  readonly thread: number;
  readonly label: string | null;
  readonly symbol: string | null;
  readonly type: string | null;
  /** `MMU` or `D-MMU`, as asked; null: no type was asked. */
  readonly unit: string | null;
}

export type Proposition =
  | { readonly kind: 'constant'; readonly holds: boolean }
  | { readonly kind: 'equals'; readonly place: Place; readonly value: Value }
  | FaultAtom
  | { readonly kind: 'not'; readonly operand: Proposition }
  | {
      readonly kind: 'and' | 'or' | 'implies';
      readonly left: Proposition;
      readonly right: Proposition;
    };

export const QUANTIFIERS = ['exists', '~exists', 'forall'] as const;
export type Quantifier = (typeof QUANTIFIERS)[number];

export interface LitmusThread {
  /** As its column is headed: `P0` is 0. */
  readonly id: number;
  readonly instructions: readonly Instruction[];
  /** The code of its `P0.F` column, which runs after a fault; null if it has none. */
  readonly handler: readonly Instruction[] | null;
  /** Label to the code it is in and the index of the instruction behind it. */
  readonly labels: ReadonlyMap<string, CodePoint>;
}

export interface LitmusTest {
  readonly name: string;
  readonly file: string;
  /** `Key=Value` lines before the initial state, keys in lower case. */
  readonly info: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
  readonly initial: readonly InitialValue[];
  /** Types of registers, by `0:X1`; what is not here is an `int`. */
  readonly registerTypes: ReadonlyMap<string, IntegerType>;
  /** By symbol; what is not here is an `int`, and no array. */
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly threads: readonly LitmusThread[];
  /** Places and faults to show in the final states beside those of the condition. */
  readonly shown: readonly (Place | FaultAtom)[];
  readonly filter: Proposition | null;
  readonly quantifier: Quantifier;
  readonly condition: Proposition;
  /** The condition as written, on one line. */
  readonly conditionText: string;
  readonly conditionLine: number;
}
