/**
 * A live migration that is cancelled, which is what the RFC of 2021 was about: after some passes
 * over the dirty log it is turned off, and the tables become blocks again, region by region, while
 * the vCPUs keep running (dirty_log_perf_test -e).
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const migrationCancel: Scenario = Object.freeze<Scenario>({
  name: 'migration-cancel',
  summary: 'dirty logging is turned off under running vCPUs and all regions coalesced: the cost',
  ...ALL_MAPPED,
  work: { kind: 'migration', ends: 'cancelled', passesMax: 3 },
});
