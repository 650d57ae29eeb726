/**
 * What a transition did, as plain data: the one form in which both engines hand a protocol's
 * operations to the checker.
 *
 * Entries are named by role, not address, so that two transitions that did the same have equal
 * traces.
 */
import type { Descriptor } from '../arch/descriptor.ts';
import type { TlbiOp } from '../arch/tlbi.ts';
import type { DsbKind } from './cpu.ts';

/**
 * `target` is the entry under transition; `child n` the n-th other entry the protocol touched
 * through the port.
 */
export type EntryRole = 'target' | `child ${number}`;

export type TraceEvent =
  | { readonly op: 'read'; readonly entry: EntryRole; readonly value: Descriptor }
  | {
      readonly op: 'write';
      readonly order: 'plain' | 'release' | 'cas';
      readonly entry: EntryRole;
      /** What the entry holds afterwards. A failed compare-exchange is a `read`. */
      readonly value: Descriptor;
    }
  | { readonly op: 'dsb'; readonly kind: DsbKind }
  | { readonly op: 'isb' }
  | { readonly op: 'tlbi'; readonly tlbi: TlbiOp }
  | { readonly op: 'build'; readonly table: string }
  | { readonly op: 'allocate'; readonly table: string }
  /**
   * `tables` pages, among them the old subtree's (`ofOld`), became reusable: now, or after a grace
   * period.
   */
  | {
      readonly op: 'free';
      readonly when: 'now' | 'grace';
      readonly tables: number;
      readonly ofOld: boolean;
    }
  | { readonly op: 'get' | 'put'; readonly entry: EntryRole }
  | { readonly op: 'cmo'; readonly size: number };

export interface TransitionTrace {
  /** Level, IPA and size of the entry, what it held before, and what was wanted. */
  readonly level: 1 | 2;
  readonly ipa: number;
  readonly size: number;
  readonly old: Descriptor;
  readonly wanted: Descriptor;
  readonly vmid: number;
  /**
   * The old entry was a table with at least one valid child: a by-address TLBI of one page cannot
   * cover it.
   */
  readonly oldHasChildren: boolean;
  readonly events: readonly TraceEvent[];
}
