/**
 * A second VM with its own VMID, tables and memory runs on the same vCPU threads and is left alone:
 * what a flush of the first one does to its TLB entries, and what happens when its VMID is given to
 * another VM.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const twoVms: Scenario = Object.freeze<Scenario>({
  name: 'two-vms',
  summary: 'as adjust-populated, beside a VM that only runs, whose VMID is reused: isolation',
  ...ALL_MAPPED,
  work: { kind: 'two-vms' },
});
