/**
 * Transitions written down as lists of named steps, so that a test can delete or weaken one by its
 * part in the sequence.
 */
import {
  type Descriptor,
  EMPTY,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
  NT,
  VALID,
} from '../../src/arch/descriptor.ts';
import { entrySize, geometryOf, type Granule } from '../../src/arch/geometry.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import type { DsbKind } from '../../src/port/cpu.ts';
import type { TraceEvent, TransitionTrace } from '../../src/port/trace.ts';

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

/** The steps of facts/stage2.md §7, for one place. */
export function words(place: Place = PLACE) {
  const g = geometryOf(place.granule);
  const size = entrySize(g, place.level);
  const leaf = { ...NORMAL_RW, sw: place.sw };
  const block = makeLeaf(g, place.level, place.pa, leaf);
  const table = makeTable(g, place.tablePa, place.sw);
  const step = (part: Part, event: TraceEvent): Step => ({ part, event });
  const store = (value: Descriptor, order: 'plain' | 'release' | 'cas' = 'plain'): Step =>
    step('store', { op: 'write', order, entry: 'target', value });
  const dsb = (kind: DsbKind, part: Part): Step => step(part, { op: 'dsb', kind });
  const tlbi = (op: TlbiOp, part: Part): Step => step(part, { op: 'tlbi', tlbi: op });
  const isb = step('isb', { op: 'isb' });
  const free = (when: 'now' | 'grace' = 'now', tables = 1): Step =>
    step('other', { op: 'free', when, tables, ofOld: true });
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
    build: step('other', { op: 'build', table: 'new 0' }),
    allocate: step('other', { op: 'allocate', table: 'new 0' }),
    cmo: step('other', { op: 'cmo', size }),
    final: dsb('ishst', 'final'),
    child: (value: Descriptor, order: 'plain' | 'release' = 'plain'): Step =>
      step('other', { op: 'write', order, entry: 'child 0', value }),
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
    vmid: VMID,
    oldHasChildren: true,
    events: steps.map((s) => s.event),
    ...over,
  };
}
