/**
 * How far a campaign of `stress` has come, group by group: what `stress --resume` goes on from.
 *
 * The rows of the groups that have begun stand in `runs` one group after the other, in the order of
 * the plan, so that a row is found again by its place. Where groups are repeated, and some repeats are
 * missing, they stand in `repeats`, and `runs` has what they are together.
 */
import type { ExitCode } from './exit-code.ts';
import type { StressRun } from './stress.ts';

/**
 * `cut`: interrupted, its rounds count and the others are missing. `died`: a thread of it ended
 * badly, and with the hypervisor's thread what it knew of its rounds. `left-out`: the time was too
 * short for it; it has no rows.
 */
export const GROUP_STATES = ['waiting', 'cut', 'died', 'done', 'left-out'] as const;
export type GroupStateName = (typeof GROUP_STATES)[number];

export interface GroupState {
  readonly label: string;
  /** Rows it has, or will have, in `runs`. */
  readonly rows: number;
  readonly state: GroupStateName;
  /** The campaign's time that was its share; null where rounds alone end it, or it has none yet. */
  readonly shareMs: number | null;
  readonly spentMs: number;
  /** What its threads had to say, beside its rows. */
  readonly notes: readonly string[];
}

/** One run of the program; a campaign that was never resumed has one. */
export interface CampaignPart {
  readonly startedAt: string;
  readonly elapsedMs: number;
  /** As it was last written: a part that was killed left what it had between two groups. */
  readonly exitCode: ExitCode;
}

/** A protocol's own file. What it imports is not looked at. */
export interface ProtocolFile {
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
}

export interface CampaignState {
  readonly groups: readonly GroupState[];
  /** Of the campaign's time what is left for groups; null where rounds alone end it. */
  readonly leftMs: number | null;
  readonly files: readonly ProtocolFile[];
  readonly parts: readonly CampaignPart[];
  readonly repeats?: readonly StressRun[];
}

/** Nothing more is to be run of it. */
export const isEnded = ({ state }: Pick<GroupState, 'state'>): boolean =>
  state === 'done' || state === 'left-out';

export function isComplete({ groups }: CampaignState): boolean {
  return groups.every(isEnded);
}
