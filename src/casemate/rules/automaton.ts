/** One entry's automaton, whatever its regime: what a stale entry is judged by. */
import type { Descriptor } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { TlbiOp } from '../../arch/tlbi.ts';
import type { StoreFinding } from '../../checker/entry-state.ts';
import type { DsbKind } from '../../port/cpu.ts';
import type { Leaf } from '../tables/forest.ts';

export type Beside = (block: Descriptor) => readonly string[];

/** Who did something. */
export interface Agent {
  readonly thread: number;
  /** Null: the log does not tell tasks. */
  readonly task: string | null;
}

/** A TLBI of EL2's own regime. */
export interface El2Tlbi {
  /** As the log writes it, `vae2is`. */
  readonly name: string;
  /** The stage-2 operation that reaches the same entries; null: all of them. */
  readonly reach: TlbiOp | null;
  readonly broadcast: boolean;
}

/** A barrier or a TLBI. */
export type FlushEvent =
  | { readonly op: 'dsb'; readonly kind: DsbKind }
  /** `older`: VMIDs that it may act on as well, for want of an ISB after VTTBR_EL2 was written. */
  | {
      readonly op: 'tlbi';
      readonly tlbi: TlbiOp;
      readonly older: readonly number[];
      /** It takes all of EL2's own regime: VMALLE1 of a host (HCR_EL2.{E2H, TGE} = {1, 1}). */
      readonly ofEl2?: boolean;
    }
  | { readonly op: 'el2'; readonly tlbi: El2Tlbi };

export interface Automaton {
  readonly current: Descriptor;
  /** Descriptors whose translations may still be cached. */
  readonly olds: readonly Descriptor[];
  /** No old translation may be cached any more. */
  readonly isClean: boolean;
  /** The same if the barriers and TLBIs of all threads count. */
  readonly isCleanByOthers: boolean;
  /** Nothing but a TLBI that reaches the entry changes its state; others may be told of, at most. */
  readonly isWaiting: boolean;
  /** The store that made it stale is ordered: walks that begin from now on do not see the old one. */
  readonly isOrdered: boolean;
  /** VMID of what has to go; null: it has none. */
  readonly vmid: number | null;
  /** The tree gets another VMID, and what has to go is under that one. */
  renumber(vmid: number): void;
  /** May a TLB hold this leaf of a table that the entry held? */
  mayHold(leaf: Leaf): boolean;
  /** What is missing, in one clause; nothing if it is clean. */
  missing(): string;
  /** What made the blamed TLBI uncertain. */
  remark(): string | null;
  /** `own`: `by` is the thread or task that made the entry stale. `index`: line of the log, from 0. */
  advance(event: FlushEvent, index: number, by: Agent, own: boolean): void;
  /** `beside`: in what else than its size the table that a block stands for differs from it. */
  store(value: Descriptor, index: number, bbm: BbmLevel, beside: Beside): StoreFinding | null;
}
