/**
 * Faults side by side, as in KVM from v6.2 on: every other page of a table is a hole, and the vCPUs
 * that meet one fill it with the lock held for reading, while a protocol of that age turns the table
 * into a block. Entries go through LOCKED, losers come back, tables are freed after a grace period.
 * Protocols of before, which hold the lock for writing, are run with it held for writing by all.
 */
import type { Scenario } from './scenario.ts';

export const parallelFaults: Scenario = Object.freeze<Scenario>({
  name: 'parallel-faults',
  summary:
    'holes filled by several vCPUs under the shared lock while the table is coalesced (v6.2)',
  isMapped: (index: number, entries: number) => index % 2 === 0 || index >= entries / 2,
  partial: true,
  work: { kind: 'adjust', fillsShared: true },
  takes: 'map',
});
