/**
 * Seeded bugs of the simulated machine or of the harness itself, by name. A mutant names one; the
 * machine then runs its broken twin of that piece. Everything else stays as it is.
 */
export const MACHINE_BUGS = [
  /**
   * A vCPU enters the guest with a plain store of its mode before it reads the TLBI generation: no
   * fence.
   */
  'entry-unfenced',
  /**
   * The issuer publishes the TLBI generation with a plain store before it reads the vCPUs' modes:
   * no fence.
   */
  'tlbi-unfenced',
  /** DSB does not wait for vCPU 0. */
  'dsb-skips-vcpu',
  /** A vCPU acknowledges a TLBI one poll before it empties its TLB. */
  'ack-before-invalidate',
  /** An access that faulted is not retried. */
  'drop-after-fault',
  /** The hypervisor stores a descriptor as two 32-bit halves. */
  'split-halves',
  /** A vCPU's completed accesses of a round are overwritten before anybody has read them. */
  'counts-lost',
  /** A fault that maps a page for the first time is counted like one that need not have been. */
  'faults-counted-alike',
  /** A vCPU that fills a hole takes a LOCKED entry for an empty one. */
  'locked-taken',
  /** The flush for a table that unmap has emptied is hinted with the level of that table. */
  'unmap-hinted',
  /** A vCPU makes a page writable and flushes nothing: its own TLB denies the store as before. */
  'relax-unflushed',
  /** A VMID is given to another VM without a flush of what its last owner left in the TLBs. */
  'rollover-unflushed',
  /** A migration write-protects pages and does not flush the TLBs that may store to them. */
  'protect-unflushed',
  /** It flushes, but copies the pages without waiting for the flush to complete. */
  'protect-without-dsb',
  /** It clears the dirty bits it has fetched only when the pages are copied. */
  'dirty-cleared-late',
  /**
   * The host ages pages by plain loads and plain stores, and what hardware has set in between is
   * gone (FEAT_HAFDBS).
   */
  'aged-plainly',
  /**
   * A vCPU that is preempted on its way out of the guest forgets how much its dirty ring holds
   * (FEAT_HDBSS).
   */
  'ring-index-forgotten',
  /** A dirty ring is read without the DSB that completes what the PE has appended. */
  'ring-without-dsb',
  /** A store to a write-protected block makes all of it writable, though one page is logged. */
  'fault-level-ignored',
  /** The same, if the vCPU faulted on a page that has become such a block since. */
  'fault-level-stale',
  /** Every round a vCPU finds a guest word that it did not store: always to be caught. */
  'canary',
] as const;
export type MachineBug = (typeof MACHINE_BUGS)[number];
