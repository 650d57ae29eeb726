/**
 * A scenario says how the memory under test is mapped when a transition starts, which pages vCPUs
 * use when, and what the hypervisor does in a round. It is plain data and pure functions; the
 * engines read it, it never runs anything.
 */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /**
   * Pages of each lowest-level table that are mapped in table state, by index; `entries` is the
   * table's length. In block state everything is mapped.
   */
  readonly isMapped: (index: number, entries: number) => boolean;
  /**
   * Some pages are unmapped in table state: until the transition starts vCPUs stay within the
   * mapped ones, unless filling holes side by side is what it is about.
   */
  readonly partial: boolean;
  readonly work: Work;
  /** A protocol of this kind (port/kinds.ts) takes the place of the scenario's own path. */
  readonly takes?: 'unmap' | 'map' | 'protect' | 'relocate';
}

/** What the hypervisor's thread does in a round; `stress` has an engine for each kind. */
export type Work =
  /**
   * Table to block and back, over and over: one half measured, the other a reset. `fillsShared`: vCPUs
   * fill holes side by side, with the lock held for reading, if the protocol holds it so.
   */
  | { readonly kind: 'adjust'; readonly fillsShared?: boolean }
  /** The same, with something done to the table before each coalesce. */
  | { readonly kind: 'disturbed'; readonly by: Disturbance }
  /** The same, beside a second VM. */
  | { readonly kind: 'two-vms' }
  /** The stages of kvm_page_table_test. */
  | { readonly kind: 'page-table-test' }
  /** Blocks that move to another output address. */
  | { readonly kind: 'relocate' }
  /** The life of a live migration, up to its end. */
  | ({ readonly kind: 'migration' } & Migration);

/**
 * `unmap`: a range is unmapped, its memory taken away and given back (swapped out and in).
 * `permissions`: a range is write-protected, and made writable again by the stores to it.
 */
export type Disturbance = 'unmap' | 'permissions';

export interface Migration {
  /** How it ends: the guest is stopped and its memory compared, or logging is turned off under it. */
  readonly ends: 'completed' | 'cancelled';
  /** Passes over the dirty log before the end, the first copy of all memory not counted: at most. */
  readonly passesMax: number;
}

/** Unless they say otherwise: everything is mapped. */
export const ALL_MAPPED = {
  isMapped: (): boolean => true,
  partial: false,
} as const;
