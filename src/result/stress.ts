/**
 * Result of `stress`: plain data, the one type every report is made from. What its fields are is said
 * once, in stress-schema.ts and in figures/figures.ts.
 */
import type { CampaignState } from './campaign-state.ts';
import type { Read } from './checks.ts';
import type { ResultHeader } from './header.ts';
import type { control, stressRun } from './stress-schema.ts';

export type StressRun = Read<typeof stressRun>;
export type CpuResult = StressRun['cpu'];
export type Violation = StressRun['violations'][number];
export type ViolationEvent = Violation['events'][number];

export type FaultCounts = StressRun['faults'];
export type RunMeans = StressRun['means'];
export type StageFigures = NonNullable<StressRun['stages']>[number];
export type NeighbourFigures = NonNullable<StressRun['neighbour']>;
export type MigrationFigures = NonNullable<StressRun['migration']>;

export type ControlResult = Read<typeof control>;

export interface StressResult extends ResultHeader<'stress'> {
  /** What a reader should know beside the verdict: a busy machine, rows without time. Absent: nothing. */
  readonly remarks?: readonly string[];
  readonly controls: readonly ControlResult[];
  readonly runs: readonly StressRun[];
  /** Absent in results that were merged, and that no program can go on from. */
  readonly campaign?: CampaignState;
}

/** A result that says how far it came. */
export type Earlier = StressResult & { readonly campaign: CampaignState };
