/**
 * What the hypervisor's thread does in a group, behind one interface, so that the thread itself
 * (hypervisor-run.ts) knows only rounds: one file here per kind of work of a scenario.
 *
 *   hypervisor-run            workload                          vCPUs
 *   ------------------------------------------------------------------------------
 *                             prepare(kind)                     at the start barrier
 *   start barrier ------------------------------------------------------------------
 *                             run(item, round)                  access, fault, repair
 *   end of round declared                                       finish their batch, leave
 *   end barrier   ------------------------------------------------------------------
 *                             finish(count)                     at the start barrier
 *   audit, collect
 *
 * One access. A vCPU translates a page in its TLBs or by a walk; each leaf says by its software bits
 * which version of the region it belongs to. After the access the region's ghost word must allow
 * that version. If nothing translates, or not for a store, the vCPU leaves the guest and its fault
 * handler takes the mmu_lock and repairs. Which transition the fault is counted at follows from the
 * ghost words before and after: at a running one, or at the record for faults outside of any.
 *
 * One transition. Under the mmu_lock the region's ghost word goes from `stable v` to `changing v`,
 * the protocol runs, the word goes to `settled v` when its flush is complete and to `stable v + 1`
 * at its end. Even versions are tables, odd ones blocks. Who changes a region's size, be it the
 * hypervisor or a vCPU whose store met a write-protected block, goes through these words; who
 * changes permissions or fills a hole does not, because that is the same version of the mapping.
 *
 * What holds between two calls: nobody but the hypervisor's thread has the lock, and no transition
 * is running.
 */
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';

/** Rounds with transitions alternate with some in which guests run undisturbed. */
export type RoundPurpose = 'transitions' | 'baseline';

export interface RoundCount {
  /** Transition records used, resets included. */
  slots: number;
  /** Transitions whose entry was not as wanted at the end: the tables are built anew after. */
  broken: number;
  /** What the workload counts beside transitions: fields of the round's row (results-area.ts). */
  readonly figures: Map<number, number>;
}

export function emptyCount(): RoundCount {
  return { slots: 0, broken: 0, figures: new Map() };
}

export function addFigure(count: RoundCount, field: number, by: number): void {
  count.figures.set(field, (count.figures.get(field) ?? 0) + by);
}

export interface Traces {
  /** Distinct traces of measured transitions, per plan item. */
  readonly seen: readonly (readonly SeenTrace[])[];
  /** About those not kept whole. */
  readonly notes: readonly string[];
}

export interface Workload {
  /** All tables from scratch, all TLBs told: nobody is in the guest. */
  rebuild(): void;
  /** All TLBs told to forget everything: they do on their next entry. Nobody is in the guest. */
  emptyTlbs(): void;
  /** Puts the tables as such a round of this item starts from. Nobody is in the guest. */
  prepare(purpose: RoundPurpose, item: number): void;
  /** One round beside running guests, seeded by its number; `isDone` may end it early. */
  run(item: number, round: number, isDone: () => boolean): RoundCount;
  /** What can be seen only while the guests stand still; adds to the figures of the round. */
  finish(count: RoundCount): void;
  traces(): Traces;
}
