/** What one exploration may cost. Whatever stops it is named in the result. */
import type { SmallGranule } from '../../../arch/geometry.ts';
import { DEFAULT_BOUNDS, type SearchBounds } from '../../model/index.ts';

export interface ExploreBounds extends Omit<SearchBounds, 'visits'> {
  /** Operations of the protocol on one path, table contents included. */
  readonly operations: number;
  /** Table pages, the old subtree's among them. */
  readonly tables: number;
}

/** Pages of level 1 in tables of four entries, over those in tables of two. */
const LARGER = 4;

export const EXPLORE_BOUNDS: ExploreBounds = Object.freeze({
  events: 30,
  states: DEFAULT_BOUNDS.states,
  nodes: DEFAULT_BOUNDS.nodes,
  timeMs: DEFAULT_BOUNDS.timeMs,
  memoryBytes: DEFAULT_BOUNDS.memoryBytes,
  operations: 192,
  tables: 6,
});

/** Of a larger machine: a path goes through every region, and perhaps from entry to entry. */
export function boundsFor(granule: SmallGranule, regions: number): ExploreBounds {
  const times = (granule === 'tiny' ? 1 : LARGER) * regions;
  return { ...EXPLORE_BOUNDS, operations: EXPLORE_BOUNDS.operations * times };
}

/** vCPUs of one exploration: more show nothing that these do not. */
export const VCPUS_EXPLORED_MAX = 4;

/** Accesses of a vCPU in one exploration: `ACCESSES_EXPLORED` where nothing is said. */
export const ACCESSES_EXPLORED = 2;
export const ACCESSES_EXPLORED_MAX = 3;

/**
 * What is at it beside the transition, by the names that `stress` has for it. `adjust-populated`:
 * nothing. `two-vms`: a second VM with a VMID of its own (neighbour.ts).
 */
export const SCENARIOS_EXPLORED = ['adjust-populated', 'two-vms'] as const;
export type ExploredScenario = (typeof SCENARIOS_EXPLORED)[number];

/** A bound met while threads are unrolled, before the search. */
export class BoundReached extends Error {
  override readonly name = 'BoundReached';
  readonly bound: keyof ExploreBounds;

  /** The location that whoever met it waits for. */
  readonly waitsFor: number | null;

  constructor(bound: keyof ExploreBounds, limit: number, waitsFor: number | null = null) {
    super(`more than ${limit} ${bound}`);
    this.bound = bound;
    this.waitsFor = waitsFor;
  }
}
