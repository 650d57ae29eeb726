/**
 * Result of `replay`: one schedule of `explore` again, whole and with a reason for each step. The
 * violation has the form it has in a result of `explore`.
 */
import type { ExploreRun, ExploreViolation } from './explore.ts';
import type { ResultHeader } from './header.ts';

export interface ReplayRun extends Pick<
  ExploreRun,
  'scenario' | 'protocol' | 'mutant' | 'against' | 'cpu' | 'granule' | 'regions' | 'level' | 'vcpus'
> {
  /** A token is that of a violation. */
  readonly verdict: 'violated';
  /** Its steps are all that the hypervisor and the vCPUs do. */
  readonly violation: ExploreViolation;
  /** Index of the step that breaks the rule. */
  readonly broken: number;
}

export interface ReplayResult extends ResultHeader<'replay'> {
  readonly runs: readonly [ReplayRun];
}
