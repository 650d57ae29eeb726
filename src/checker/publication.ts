/**
 * Are contents ordered before the descriptor that shows them? KVM stores tables and leaves with
 * smp_store_release for this reason (comments in stage2_map_walk_leaf and
 * kvm_pgtable_stage2_split); a DSB, or a DMB for stores, in between does as well.
 *
 * A table linked too early shows a walker garbage: a violation. A block linked too early shows
 * memory that its table may not have mapped yet: legal and of low severity, a note. The RFC of
 * 2021-01-26 stores its nT block so.
 */
import type { DsbKind } from '../port/cpu.ts';
import { isOldTable, type TableName, type TraceEvent } from '../port/trace.ts';

export interface Contents {
  /** By new table: the last event that filled it and that no barrier has ordered. */
  readonly unordered: ReadonlyMap<TableName, number>;
  /** By table: those that were ever linked into it. */
  readonly below: ReadonlyMap<TableName, ReadonlySet<TableName>>;
  /** A DSB came after all earlier cache maintenance, and at least once. */
  readonly memoryOrdered: boolean;
  /** The last DSB since a table was filled that orders nothing for walkers of other PEs. */
  readonly localDsb: { readonly kind: DsbKind; readonly event: number } | null;
}

export const NO_CONTENTS: Contents = {
  unordered: new Map(),
  below: new Map(),
  memoryOrdered: false,
  localDsb: null,
};

function filled(c: Contents, table: TableName, index: number): Contents {
  return { ...c, unordered: new Map(c.unordered).set(table, index), localDsb: null };
}

function linkedBelow(c: Contents, table: TableName, child: TableName): Contents {
  const children = new Set(c.below.get(table)).add(child);
  return { ...c, below: new Map(c.below).set(table, children) };
}

/**
 * The last event that filled `table`, or a table below it, and that is not ordered before what comes
 * next. What else was made is nobody's to see through this link.
 */
export function unorderedAt(c: Contents, table: TableName): number | null {
  if (c.unordered.size === 0 || isOldTable(table)) return null;
  const shown = new Set([table]);
  for (const each of shown) for (const child of c.below.get(each) ?? []) shown.add(child);
  const fills = [...shown].flatMap((each) => c.unordered.get(each) ?? []);
  return fills.length === 0 ? null : Math.max(...fills);
}

export function contentsAfter(c: Contents, event: TraceEvent, index: number): Contents {
  switch (event.op) {
    case 'build':
    case 'allocate':
      return filled(c, event.table, index);
    case 'write':
      if (event.place === null || isOldTable(event.place.table)) return c;
      return filled(
        event.links === null ? c : linkedBelow(c, event.place.table, event.links),
        event.place.table,
        index,
      );
    case 'dsb':
      // Walkers of other PEs are in the Inner Shareable domain: NSH orders nothing for them.
      return event.kind === 'ish' || event.kind === 'ishst'
        ? { ...c, unordered: new Map(), memoryOrdered: true, localDsb: null }
        : { ...c, localDsb: { kind: event.kind, event: index } };
    case 'dmb':
      // It orders stores with stores as a release does; maintenance of caches waits for a DSB.
      return event.kind === 'ishld' ? c : { ...c, unordered: new Map() };
    case 'cmo':
      return { ...c, memoryOrdered: false };
    default:
      return c;
  }
}
