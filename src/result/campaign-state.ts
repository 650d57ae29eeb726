/**
 * How far a campaign of `stress` has come, group by group: what `stress --resume` goes on from.
 *
 * The rows of the groups that have begun stand in `runs` one group after the other, in the order of
 * the plan, so that a row is found again by its place. Where groups are repeated, and some repeats are
 * missing, they stand in `repeats`, and `runs` has what they are together.
 */
import type { Read } from './checks.ts';
import type { campaign } from './stress-schema.ts';

export type CampaignState = Read<typeof campaign>;
export type GroupState = CampaignState['groups'][number];
export type GroupStateName = GroupState['state'];
export type ProtocolFile = CampaignState['files'][number];

/** Nothing more is to be run of it. */
export const isEnded = ({ state }: Pick<GroupState, 'state'>): boolean =>
  state === 'done' || state === 'left-out';

export function isComplete({ groups }: CampaignState): boolean {
  return groups.every(isEnded);
}
