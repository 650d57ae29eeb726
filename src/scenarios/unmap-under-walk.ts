/**
 * The host takes memory away and gives it back: ranges, now and then all of a table, are unmapped
 * while vCPUs walk, their contents swapped out and in; vCPUs fault them in again, and the table is
 * coalesced in the middle of that.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const unmapUnderWalk: Scenario = Object.freeze<Scenario>({
  name: 'unmap-under-walk',
  summary: 'ranges and whole tables unmapped, swapped and faulted in again, before each coalesce',
  ...ALL_MAPPED,
  work: { kind: 'disturbed', by: 'unmap' },
  takes: 'unmap',
});
