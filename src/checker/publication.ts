/**
 * Are contents ordered before the descriptor that shows them? KVM stores tables and leaves with
 * smp_store_release for this reason (comments in stage2_map_walk_leaf and
 * kvm_pgtable_stage2_split); a DSB in between does as well.
 *
 * A table linked too early shows a walker garbage: a violation. A block linked too early shows
 * memory that its table may not have mapped yet: legal, low severity (facts: defect D4), a note.
 */
import type { TraceEvent } from '../port/trace.ts';

export interface Contents {
  /** The last event that filled a new table and that no DSB has ordered. */
  readonly unorderedFill: number | null;
  /** A DSB came after all earlier cache maintenance, and at least once. */
  readonly memoryOrdered: boolean;
}

export const NO_CONTENTS: Contents = { unorderedFill: null, memoryOrdered: false };

export function contentsAfter(c: Contents, event: TraceEvent, index: number): Contents {
  switch (event.op) {
    case 'build':
    case 'allocate':
      return { ...c, unorderedFill: index };
    case 'write':
      return event.entry === 'target' ? c : { ...c, unorderedFill: index };
    case 'dsb':
      // Walkers of other PEs are in the Inner Shareable domain: NSH orders nothing for them.
      return event.kind === 'ish' || event.kind === 'ishst'
        ? { unorderedFill: null, memoryOrdered: true }
        : c;
    case 'cmo':
      return { ...c, memoryOrdered: false };
    default:
      return c;
  }
}
