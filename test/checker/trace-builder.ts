/**
 * Transitions written down as lists of named steps, so that a test can delete or weaken one by its
 * part in the sequence.
 */
import {
  type Descriptor,
  EMPTY,
  isTable,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  NT,
  VALID,
} from '../../src/arch/descriptor.ts';
import { childLevel, entrySize, geometryOf, type Granule } from '../../src/arch/geometry.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import type { DsbKind } from '../../src/port/cpu.ts';
import type {
  ChildPlace,
  FreedPart,
  TableName,
  TraceEvent,
  TransitionTrace,
} from '../../src/port/trace.ts';

/** The part a step plays; `order`, `flush` and `complete` are steps 2 to 4 of R_DDMVT. */
export type Part =
  | 'store'
  | 'order'
  | 'flush'
  | 'stage2'
  | 'between'
  | 'stage1'
  | 'complete'
  | 'final'
  | 'isb'
  | 'other';

export interface Step {
  readonly part: Part;
  readonly event: TraceEvent;
}

export interface Place {
  readonly granule: Granule;
  readonly level: 1 | 2;
  readonly ipa: number;
  readonly pa: number;
  readonly tablePa: number;
  readonly sw: number;
}

export const PLACE: Place = {
  granule: '4k',
  level: 2,
  ipa: 0x4000_0000,
  pa: 0x8000_0000,
  tablePa: 0x1_0000_0000,
  sw: 3,
};

export const VMID = 7;

/** The steps that protocols are made of, for one place. */
export function words(place: Place = PLACE) {
  const g = geometryOf(place.granule);
  const size = entrySize(g, place.level);
  const leaf = { ...NORMAL_RW, sw: place.sw };
  const block = makeLeaf(g, place.level, place.pa, leaf);
  const table = makeTable(g, place.tablePa, place.sw);
  const page = (index: number): Descriptor =>
    makeLeaf(g, 3, place.pa + index * entrySize(g, 3), leaf);
  const step = (part: Part, event: TraceEvent): Step => ({ part, event });
  /** A table descriptor points to the old table if that was one, to the one it made otherwise. */
  const linksOf = (value: Descriptor): TableName | null => (isTable(value, 2) ? 'old' : null);
  const store = (
    value: Descriptor,
    order: 'plain' | 'release' | 'cas' = 'plain',
    links: TableName | null = linksOf(value),
  ): Step => step('store', { op: 'write', order, entry: 'target', value, links, place: null });
  const dsb = (kind: DsbKind, part: Part): Step => step(part, { op: 'dsb', kind });
  const tlbi = (op: TlbiOp, part: Part): Step => step(part, { op: 'tlbi', tlbi: op });
  const isb = step('isb', { op: 'isb' });
  const free = (when: 'now' | 'grace' = 'now', part: FreedPart = 'all'): Step =>
    step('other', {
      op: 'free',
      when,
      table: 'old',
      part,
      level: part === 'page' ? null : childLevel(place.level),
      tables: 1,
    });
  const byPair = (op: TlbiOp): Step[] => [
    dsb('ishst', 'order'),
    tlbi(op, 'stage2'),
    dsb('ish', 'between'),
    tlbi({ kind: 'vmalle1is' }, 'stage1'),
    dsb('ish', 'complete'),
    isb,
  ];
  return {
    g,
    size,
    block,
    table,
    nt: block | NT,
    step,
    store,
    dsb,
    tlbi,
    isb,
    free,
    invalidate: store(table & ~VALID),
    breakBlock: store(block & ~VALID),
    clear: store(EMPTY),
    locked: (order: 'plain' | 'cas' = 'cas'): Step => store(LOCKED, order),
    flushVmid: [
      dsb('ishst', 'order'),
      tlbi({ kind: 'vmalls12e1is' }, 'flush'),
      dsb('ish', 'complete'),
      isb,
    ] satisfies Step[],
    flushIpa: byPair({ kind: 'ipas2e1is', ipa: place.ipa, ttl: place.level }),
    flushRange: byPair({ kind: 'ripas2e1is', ipa: place.ipa, size }),
    read: (value: Descriptor): Step =>
      step('other', { op: 'read', entry: 'target', value, table: null }),
    /** Links the table it made. */
    link: (order: 'plain' | 'release' | 'cas' = 'release'): Step => store(table, order, 'table 0'),
    build: step('other', { op: 'build', table: 'table 0', level: place.level, like: block }),
    allocate: step('other', { op: 'allocate', table: 'table 0', level: childLevel(place.level) }),
    cmo: step('other', { op: 'cmo', pa: place.pa, size }),
    final: dsb('ishst', 'final'),
    /** Entry `index` of a table, of the old one where none is named. */
    child: (
      value: Descriptor,
      order: 'plain' | 'release' | 'cas' = 'plain',
      at: Partial<ChildPlace> = {},
      links: TableName | null = null,
    ): Step => {
      const where: ChildPlace = { table: 'old', index: 0, before: page(0), ...at };
      const entry = `child ${where.index + 1}` as const;
      return step('other', { op: 'write', order, entry, value, links, place: where });
    },
    /** The leaf that page `index` of the region is, at the wanted version. */
    page,
  };
}

export function traceOf(
  kind: 'coalesce' | 'split',
  steps: readonly Step[],
  place: Place = PLACE,
  over: Partial<TransitionTrace> = {},
): TransitionTrace {
  const w = words(place);
  return {
    level: place.level,
    ipa: place.ipa,
    size: w.size,
    old: kind === 'coalesce' ? w.table : w.block,
    wanted: w.block,
    pa: place.pa,
    vmid: VMID,
    lock: 'exclusive',
    oldLeaves: kind === 'coalesce' ? [3] : [],
    events: steps.map((s) => s.event),
    ...over,
  };
}
