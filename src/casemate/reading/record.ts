/**
 * One event of a casemate log (github.com/rems-project/casemate, trace format of v3.0.2), as the
 * checker needs it.
 */

export type DsbScope = 'ish' | 'ishst' | 'nsh' | 'nshst' | 'sy';

export const HINTS = [
  'set_root_lock',
  'set_owner_root',
  'release_table',
  'set_pte_thread_owner',
] as const;

export const SYSREGS = [
  'vttbr_el2',
  'ttbr0_el2',
  'vtcr_el2',
  'hcr_el2',
  'tcr_el2',
  'sctlr_el2',
  'mair_el2',
] as const;

/** Addresses and sizes are bytes, below 2^52; values are 64-bit. */
export type LogEvent =
  | { readonly op: 'init' | 'free'; readonly address: number; readonly size: number }
  | {
      readonly op: 'set';
      readonly address: number;
      readonly size: number;
      /** Of every byte. */
      readonly value: bigint;
    }
  | { readonly op: 'read'; readonly address: number; readonly value: bigint }
  | {
      readonly op: 'write';
      readonly order: 'plain' | 'release';
      readonly address: number;
      readonly value: bigint;
    }
  | { readonly op: 'dsb'; readonly scope: DsbScope }
  | { readonly op: 'isb' }
  /** `value`: the register operand; null for operations without one. */
  | { readonly op: 'tlbi'; readonly kind: string; readonly value: bigint | null }
  | {
      readonly op: 'sysreg';
      readonly register: (typeof SYSREGS)[number];
      readonly value: bigint;
    }
  | {
      readonly op: 'hint';
      readonly kind: (typeof HINTS)[number];
      readonly location: number;
      readonly value: bigint;
    }
  | { readonly op: 'lock' | 'trylock' | 'unlock'; readonly address: number };

export interface LogRecord {
  /** Of its opening bracket, from 1. */
  readonly line: number;
  readonly id: number;
  readonly thread: number;
  readonly event: LogEvent;
  /** The task that ran, as SP_EL0 names it; null if the log does not tell. */
  readonly task: string | null;
  /** `file:line` of the program, or a key into a table of its own; null if the log has none. */
  readonly source: string | null;
}
