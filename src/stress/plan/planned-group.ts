/**
 * What a campaign plans: groups of rows that share threads. Between the portfolio, which makes
 * them, and whoever times, repeats, resumes or runs them.
 */
import type { BlockLevel } from '../../arch/geometry.ts';
import type { Protocol } from '../../port/index.ts';
import type { PlanItem } from './group.ts';

/** One row to be: what the engine runs, and how its result is judged and named. */
export interface PlannedItem {
  readonly item: PlanItem;
  readonly protocol: Protocol;
  readonly mutant: string | null;
  /** Named on the command line: an exhibit is then judged like any other. */
  readonly named: boolean;
}

export interface PlannedGroup {
  readonly label: string;
  readonly scenario: string;
  readonly level: BlockLevel;
  readonly vcpus: number;
  readonly items: readonly PlannedItem[];
  /** Which start of its threads this is, from 0, of how many (repeats.ts). */
  readonly repeat: number;
  readonly repeats: number;
  /** Share of the campaign's time, relative to the other groups. */
  readonly weight: number;
}
