/**
 * Which stage-2 TLB entries an old descriptor may have left behind, and which of them a TLBI
 * removes.
 *
 * Entries fall into classes by structure and level, because the TTL hint and the last-level-only
 * forms select by those (R_SQXYZ, I_LTZBK; arch/tlbi.ts decides). Within a class a TLBI removes an
 * interval of IPAs, so a loop of by-address operations may add up to what one range operation does.
 * Combined entries are not in here: IPAS2 operations need not touch them (R_VZZVZ, R_TVTYQ), and
 * the operations that do take all of a VMID.
 *
 * The trace does not say whether the children of a level-1 table were blocks or tables, so both are
 * assumed.
 */
import { assert } from '../arch/assert.ts';
import { type Descriptor, typeOf } from '../arch/descriptor.ts';
import { entrySize, type Geometry, geometryOf, GRANULES, type Level } from '../arch/geometry.ts';
import { mustInvalidate, scopeOf, type TlbiOp } from '../arch/tlbi.ts';
import type { TransitionTrace } from '../port/trace.ts';

/** Half-open, in bytes. */
interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/**
 * Entries of one structure and level below (or at) the target, and the part of them already
 * removed.
 */
export interface EntryClass {
  readonly structure: 'stage2' | 'walk';
  readonly level: Level;
  /** One match is enough: a single entry that every IPA of the target reaches. */
  readonly single: boolean;
  readonly removed: readonly Interval[];
}

/** The granule whose entries of `level` have this size; level and size together are unique. */
export function geometryOfTrace(trace: TransitionTrace): Geometry {
  const fits = GRANULES.map(geometryOf).filter((g) => entrySize(g, trace.level) === trace.size);
  const [g] = fits;
  assert(g !== undefined, `no granule has level-${trace.level} entries of ${trace.size} bytes`);
  assert(fits.length === 1, `level ${trace.level} and size ${trace.size} name one granule`);
  return g;
}

function entryClass(structure: 'stage2' | 'walk', level: number, single: boolean): EntryClass {
  return { structure, level: level as Level, single, removed: [] };
}

/** What TLBs may hold because the target once held any of `olds`. */
export function classesOf(trace: TransitionTrace, olds: readonly Descriptor[]): EntryClass[] {
  const types = new Set(olds.map((old) => typeOf(old, trace.level)));
  const classes: EntryClass[] = [];
  if (types.has('block')) classes.push(entryClass('stage2', trace.level, true));
  if (!types.has('table')) return classes;
  classes.push(entryClass('walk', trace.level, true));
  // A table that came to be during the transition may have been filled by anyone.
  const childless = !trace.oldHasChildren && typeOf(trace.old, trace.level) === 'table';
  if (childless) return classes;
  for (let level = trace.level + 1; level <= 3; level++) {
    classes.push(entryClass('stage2', level, false));
    if (level < 3) classes.push(entryClass('walk', level, false));
  }
  return classes;
}

function add(intervals: readonly Interval[], next: Interval): readonly Interval[] {
  const apart = intervals.filter((i) => i.hi < next.lo || next.hi < i.lo);
  const touching = intervals.filter((i) => !(i.hi < next.lo || next.hi < i.lo));
  const lo = Math.min(next.lo, ...touching.map((i) => i.lo));
  const hi = Math.max(next.hi, ...touching.map((i) => i.hi));
  return [...apart, { lo, hi }];
}

/** The IPAs whose entries of class `c` must go because of `op`, or null: none. */
function reach(trace: TransitionTrace, g: Geometry, c: EntryClass, op: TlbiOp): Interval | null {
  const bytes = entrySize(g, c.level);
  const scope = scopeOf(op.kind);
  const target: Interval = { lo: trace.ipa, hi: trace.ipa + trace.size };
  const byAddress = scope === 'address' || scope === 'range';
  // Without an operand the operation names nothing that it would have to remove.
  if (byAddress && op.ipa === undefined) return null;
  const from = byAddress ? Math.floor((op.ipa ?? 0) / bytes) * bytes : target.lo;
  const view = { structure: c.structure, vmid: trace.vmid, ipa: from, level: c.level };
  if (!mustInvalidate(g, op, view, trace.vmid)) return null;
  if (!byAddress) return target;
  const end = (op.ipa ?? 0) + (scope === 'range' ? (op.size ?? 0) : 1);
  return { lo: from, hi: Math.ceil(end / bytes) * bytes };
}

/** The same classes after `op` has taken what it must. */
export function remove(
  trace: TransitionTrace,
  classes: readonly EntryClass[],
  op: TlbiOp,
): readonly EntryClass[] {
  const g = geometryOfTrace(trace);
  return classes.map((c) => {
    const interval = reach(trace, g, c, op);
    return interval === null ? c : { ...c, removed: add(c.removed, interval) };
  });
}

export function isRemoved(trace: TransitionTrace, c: EntryClass): boolean {
  const end = trace.ipa + trace.size;
  if (c.single) return c.removed.some((i) => i.lo < end && trace.ipa < i.hi);
  return c.removed.some((i) => i.lo <= trace.ipa && end <= i.hi);
}

export function allRemoved(trace: TransitionTrace, classes: readonly EntryClass[]): boolean {
  return classes.every((c) => isRemoved(trace, c));
}

/**
 * Bytes of the target whose level-3 (or deepest) entries are gone; for the sentence of a violation.
 */
export function bytesRemoved(trace: TransitionTrace, classes: readonly EntryClass[]): number {
  const end = trace.ipa + trace.size;
  const clipped = (c: EntryClass): number =>
    c.removed.reduce((n, i) => n + Math.max(0, Math.min(i.hi, end) - Math.max(i.lo, trace.ipa)), 0);
  return classes.length === 0 ? trace.size : Math.min(...classes.map(clipped));
}
