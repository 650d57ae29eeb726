/** What a schedule is put together from: steps of the hypervisor and of guests, each at its time. */
import type { ExploreStep } from '../../../result/explore.ts';

/** A step at a time: after the event at that position. */
export interface TimedStep {
  readonly at: number;
  readonly step: ExploreStep;
  /** Of the hypervisor's side: index of its operation. */
  readonly index?: number;
}
