/**
 * The host moves the memory behind a block, content and all, while the guest runs: page migration
 * under an mmu notifier. The output address changes, so break-before-make is required whatever
 * FEAT_BBM the CPU has (R_WHZWS); a protocol that goes straight from one block to the other, with nT
 * or without, loses what is stored between the copy and its flush, and fails here.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const relocate: Scenario = Object.freeze<Scenario>({
  name: 'relocate',
  summary: 'blocks move to another output address: only break-before-make may pass',
  ...ALL_MAPPED,
  work: { kind: 'relocate' },
  takes: 'relocate',
});
