/**
 * From time lost per coalesced block to what a user would notice: per cancelled migration of a whole
 * guest, per hour, and how many of them it takes to cost 1 % of the guest's time.
 */
/** Memory of the guest whose migration is cancelled, where nobody says otherwise. */
export const GUEST_GIB = 64;

export interface Guest {
  /** Memory that is coalesced when a migration is cancelled. */
  readonly gib: number;
  readonly vcpus: number;
}

const HOUR_NS = 3600e9;
const NOTICED = 0.01;

/** Blocks of `blockBytes` in the guest's memory, at least one. */
export function blocksOf(guest: Guest, blockBytes: number): number {
  return Math.max(1, Math.round((guest.gib * 2 ** 30) / blockBytes));
}

export interface Worth {
  /** vCPU time lost, all vCPUs together. */
  readonly perCancelNs: number;
  /** Cancelled migrations per hour that cost 1 % of the guest's time; infinite: no number does. */
  readonly cancelsForOnePercent: number;
}

/** `lostNs`: per block, all vCPUs together. */
export function worthOf(lostNs: number, blockBytes: number, guest: Guest): Worth {
  const perCancelNs = lostNs * blocksOf(guest, blockBytes);
  return {
    perCancelNs,
    cancelsForOnePercent: (NOTICED * guest.vcpus * HOUR_NS) / perCancelNs,
  };
}

/** Share of the guest's time that `cancels` of them in an hour cost. */
export function shareLost(perCancelNs: number, cancels: number, guest: Guest): number {
  return (cancels * perCancelNs) / (guest.vcpus * HOUR_NS);
}
