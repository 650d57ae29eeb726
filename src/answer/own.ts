/**
 * The question with an engineer's own figures: how long an entry is invalid on their machine, how
 * often a vCPU walks, what an exit from the guest costs there.
 */
import { hitProbability, meanWait } from './hits.ts';
import { blocksOf, type Guest, shareLost, worthOf } from './worth.ts';

export interface OwnFigures {
  readonly windowNs: number;
  /** Walks per second of one vCPU that meet the entry. */
  readonly rate: number;
  /** What a fault costs beside waiting for the window's end: exit, handling, entry. */
  readonly exitNs: number;
  /** Cancelled migrations per hour. */
  readonly cancels: number;
  readonly blockBytes: number;
  readonly guest: Guest;
}

export interface OwnAnswer extends OwnFigures {
  readonly blocks: number;
  /** Probability that a coalesce faults at least one vCPU, and spurious faults per coalesce. */
  readonly hitShare: number;
  readonly faults: number;
  /** vCPU time, all vCPUs together: per block, per cancelled migration, per hour. */
  readonly lostNs: number;
  readonly perCancelNs: number;
  readonly perHourNs: number;
  /** Of the guest's time. */
  readonly shareLost: number;
  readonly cancelsForOnePercent: number;
}

export function ownAnswer(own: OwnFigures): OwnAnswer {
  const { windowNs, rate, exitNs, cancels, blockBytes, guest } = own;
  const window = [[{ ns: windowNs, count: 1 }]];
  const faults = guest.vcpus * hitProbability(window, rate, 1);
  const lostNs = guest.vcpus * meanWait(windowNs, rate) + faults * exitNs;
  const { perCancelNs, cancelsForOnePercent } = worthOf(lostNs, blockBytes, guest);
  return {
    ...own,
    blocks: blocksOf(guest, blockBytes),
    hitShare: hitProbability(window, rate, guest.vcpus),
    faults,
    lostNs,
    perCancelNs,
    perHourNs: cancels * perCancelNs,
    shareLost: shareLost(perCancelNs, cancels, guest),
    cancelsForOnePercent,
  };
}
