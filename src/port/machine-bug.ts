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
  /** A vCPU acknowledges a TLBI before it empties its TLB. */
  'ack-before-invalidate',
  /** An access that faulted is not retried. */
  'drop-after-fault',
  /** The hypervisor stores a descriptor as two 32-bit halves. */
  'split-halves',
] as const;
export type MachineBug = (typeof MACHINE_BUGS)[number];
