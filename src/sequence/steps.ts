/** A plain sequence as data: the steps that were written, each with its place in the text. */
import type { ContextName } from '../arch/context.ts';
import type { TlbiKind } from '../arch/tlbi.ts';
import type { DmbKind, DsbKind } from '../port/cpu.ts';
import type { ChangeName, ProtocolKind } from '../port/kinds.ts';

/** Line and column from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * What a store puts into an entry. `0`: nothing at all. `invalid`: what it held when the sequence
 * began, without the valid bit. `old`: what it held then. `old+nt`, `block+nt`: with nT set.
 */
export const VALUES = [
  '0',
  'invalid',
  'locked',
  'block',
  'block+nt',
  'table',
  'old',
  'old+nt',
] as const;
export type Value = (typeof VALUES)[number];

/** The operand of a TLBI by address or by range, in pages from the first IPA. */
export type Address =
  /** The page `offset` pages in; in a loop over pages, from the page of the turn. */
  | { readonly kind: 'page'; readonly offset: number }
  | { readonly kind: 'pages'; readonly count: number }
  | { readonly kind: 'range' }
  /** From the lowest to the highest address that was gathered. */
  | { readonly kind: 'gathered' };

/** `level`: that of the entry. `gathered`: of all that was gathered, if it is one and no table's. */
export type Ttl = 0 | 1 | 2 | 3 | 'level' | 'gathered';

/** An entry of the child table, by index; `page`: in a loop over mapped pages the one that maps the page. */
export type ChildIndex = number | 'page';

export type StoreOrder = 'plain' | 'release' | 'cas';
export type Freed = 'all' | 'below' | 'page';

export type Action =
  | {
      readonly op: 'store';
      readonly order: StoreOrder;
      readonly value: Value;
      /** Null for the entry itself. */
      readonly child: ChildIndex | null;
    }
  | { readonly op: 'load'; readonly child: ChildIndex | null }
  | { readonly op: 'dsb'; readonly kind: DsbKind }
  | { readonly op: 'dmb'; readonly kind: DmbKind }
  /** `ipi`: an interrupt to each PE, taken. */
  | { readonly op: 'isb' | 'ipi' }
  /** Registers of the context: whose table and VMID, and HCR_EL2.TGE. */
  | { readonly op: 'vttbr'; readonly table: 'guest' | 'host' }
  | { readonly op: 'tge'; readonly on: boolean }
  | {
      readonly op: 'tlbi';
      readonly kind: TlbiKind;
      /** Null where the operation takes none. */
      readonly address: Address | null;
      readonly ttl: Ttl | null;
      readonly vmid: 'other' | null;
    }
  | { readonly op: 'free'; readonly part: Freed; readonly when: 'now' | 'grace' }
  /** A child table: filled with what the block maps, or empty. */
  | { readonly op: 'allocate'; readonly filled: boolean }
  /** The same where memory may run out: then `steps` are what is left of the sequence. */
  | { readonly op: 'try-allocate'; readonly filled: boolean; readonly steps: readonly Step[] }
  | { readonly op: 'get' | 'put'; readonly child: ChildIndex | null }
  /** From here on `block` has the access flag and dirty state of the pages. */
  | { readonly op: 'merge' }
  /** The data cache is cleaned for the whole region. */
  | { readonly op: 'clean' }
  /** What was just cleared is to be flushed later: the loop's page, or all that the entry maps. */
  | { readonly op: 'gather' }
  /**
   * Once for each page of the region, from the first to the last. `mapped`: for those that the child
   * table maps, whose entries are read.
   */
  | { readonly op: 'each-page'; readonly mapped: boolean; readonly steps: readonly Step[] };

export type Step = Action & { readonly at: Place };

/** The steps within a step. */
export function innerSteps(step: Step): readonly Step[] {
  return step.op === 'each-page' || step.op === 'try-allocate' ? step.steps : [];
}

export interface Sequence {
  /** Null: it has none of its own. */
  readonly name: string | null;
  readonly kind: ProtocolKind;
  /** Absent: every form of its kind. */
  readonly form?: ChangeName;
  readonly lock: 'exclusive' | 'shared';
  /** Absent: the VM's. */
  readonly context?: ContextName;
  readonly claims: { readonly neverInvalid: boolean; readonly handlesConflict: boolean };
  /** One line each; null where nothing is said. */
  readonly summary: string | null;
  readonly origin: string | null;
  readonly steps: readonly Step[];
}

/** The text is no sequence. The message says what is wrong and what would be right. */
export class SequenceError extends Error {
  override readonly name = 'SequenceError';
  readonly at: Place;

  constructor(at: Place, message: string) {
    super(message);
    this.at = at;
  }
}
