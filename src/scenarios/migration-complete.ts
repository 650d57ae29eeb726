/**
 * A live migration that ends well: write-protected blocks, split eagerly or by the first store to
 * each, passes over the dirty log, and in the end the guest stops and the destination must hold its
 * memory word for word. The switch-over then fails, and the source goes on: the next round begins
 * with what the migration has left, coalesced by the protocol under test.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const migrationComplete: Scenario = Object.freeze<Scenario>({
  name: 'migration-complete',
  summary:
    'dirty logging, passes over the log, a last one with the guest stopped: no store is lost',
  ...ALL_MAPPED,
  work: { kind: 'migration', ends: 'completed', passesMax: 4 },
});
