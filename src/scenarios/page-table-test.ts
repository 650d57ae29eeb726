/**
 * kvm_page_table_test: the four stages of the kernel's selftest, over memory backed by blocks. All
 * vCPUs sweep the same regions from the same start, and wait for each other between stages.
 *
 *   before   nothing is mapped
 *   CREATE   the first page of each block, even vCPUs store, odd ones load: blocks are mapped
 *   UPDATE   dirty logging on; a store to the first page of each block, which splits it, then loads
 *            of the second half of its pages
 *   ADJUST   dirty logging off; loads of every page, while tables become blocks again
 *
 * In the kernel the first vCPU that faults in a block coalesces it; here the hypervisor's thread
 * does, at the same time as the sweep. Memory backed by pages (`-s anonymous`) has nothing to
 * coalesce and is left out.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const STAGES = ['CREATE', 'UPDATE', 'ADJUST'] as const;
export type Stage = (typeof STAGES)[number];

export const pageTableTest: Scenario = Object.freeze<Scenario>({
  name: 'page-table-test',
  summary:
    'the stages of kvm_page_table_test: map, split under dirty logging, coalesce, each timed',
  ...ALL_MAPPED,
  work: { kind: 'page-table-test' },
});

/** The accesses of vCPU `vcpu` in a stage, to one block of `pages` pages, in order. */
export function sweepBlock(
  stage: Stage,
  vcpu: number,
  pages: number,
  access: (page: number, isStore: boolean) => void,
): void {
  switch (stage) {
    case 'CREATE':
      access(0, vcpu % 2 === 0);
      break;
    case 'UPDATE':
      access(0, true);
      for (let page = pages / 2; page < pages; page++) access(page, false);
      break;
    case 'ADJUST':
      for (let page = 0; page < pages; page++) access(page, false);
      break;
  }
}
