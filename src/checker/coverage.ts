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
 * A walk-cache entry that is still there refills what is below it: a leaf is gone for good only if the
 * same operation takes the walk-cache entries above it, or one that was complete before it has
 * (R_RVJDB, R_LXHLD).
 *
 * Of the old table the place says at which levels it had leaves. A table that came to be during the
 * transition may have been filled by anyone, so leaves of every level are assumed below it.
 */
import { type Descriptor, typeOf } from '../arch/descriptor.ts';
import { entrySize, type Level } from '../arch/geometry.ts';
import { mustInvalidate, scopeOf, type TlbiOp } from '../arch/tlbi.ts';
import type { Place } from './place.ts';

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
  /** The part of it that a DSB has completed the removal of. */
  readonly settled: readonly Interval[];
}

function entryClass(structure: 'stage2' | 'walk', level: number, single: boolean): EntryClass {
  return { structure, level: level as Level, single, removed: [], settled: [] };
}

/** The same below a table. What was a hole there has left nothing behind, as if it were removed. */
function classBelow(place: Place, structure: 'stage2' | 'walk', level: number): EntryClass {
  const end = place.ipa + place.size;
  const gone = [...place.holes.values()]
    .filter((hole) => hole.level <= level && place.ipa <= hole.lo && hole.hi <= end)
    .reduce<readonly Interval[]>((spans, { lo, hi }) => add(spans, { lo, hi }), []);
  return { ...entryClass(structure, level, false), removed: gone, settled: gone };
}

/** Levels of the leaves that a table in `place` may have had below it. */
function leavesBelow(place: Place): readonly Level[] {
  if (typeOf(place.old, place.level) === 'table') return place.oldLeaves;
  return ([2, 3] as const).filter((level) => level > place.level);
}

/** What TLBs may hold because the entry once held any of `olds`. */
export function classesOf(place: Place, olds: readonly Descriptor[]): EntryClass[] {
  const types = new Set(olds.map((old) => typeOf(old, place.level)));
  const classes: EntryClass[] = [];
  if (types.has('block') || types.has('page')) {
    classes.push(entryClass('stage2', place.level, true));
  }
  if (!types.has('table')) return classes;
  classes.push(entryClass('walk', place.level, true));
  const leaves = leavesBelow(place);
  for (let level = place.level + 1; level <= Math.max(0, ...leaves); level++) {
    if (leaves.includes(level as Level)) classes.push(classBelow(place, 'stage2', level));
    if (leaves.some((leaf) => leaf > level)) classes.push(classBelow(place, 'walk', level));
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
function reach(place: Place, c: EntryClass, op: TlbiOp): Interval | null {
  const g = place.geometry;
  const bytes = entrySize(g, c.level);
  const scope = scopeOf(op.kind);
  const target: Interval = { lo: place.ipa, hi: place.ipa + place.size };
  const byAddress = scope === 'address' || scope === 'range';
  // Without an operand the operation names nothing that it would have to remove.
  if (byAddress && op.ipa === undefined) return null;
  const from = byAddress ? Math.floor((op.ipa ?? 0) / bytes) * bytes : target.lo;
  const view = { structure: c.structure, vmid: place.vmid, ipa: from, level: c.level };
  if (!mustInvalidate(g, op, view, place.vmid)) return null;
  if (!byAddress) return target;
  const end = (op.ipa ?? 0) + (scope === 'range' ? (op.size ?? 0) : 1);
  return { lo: from, hi: Math.ceil(end / bytes) * bytes };
}

/** The same classes after `op` has taken what it must, refilled or not. */
export function take(
  place: Place,
  classes: readonly EntryClass[],
  op: TlbiOp,
): readonly EntryClass[] {
  return classes.map((c) => {
    const interval = reach(place, c, op);
    return interval === null ? c : { ...c, removed: add(c.removed, interval) };
  });
}

/** The same classes after `op` has taken what it must, but for what can be filled again. */
export function remove(
  place: Place,
  classes: readonly EntryClass[],
  op: TlbiOp,
): readonly EntryClass[] {
  return classes.map((c) => {
    const interval = reach(place, c, op);
    if (interval === null) return c;
    const above = classes.filter((w) => w.structure === 'walk' && w.level < c.level);
    const gone = above.reduce<readonly Interval[]>(
      (parts, walk) => intersect(parts, withoutWalk(place, walk, op)),
      [interval],
    );
    return { ...c, removed: gone.reduce(add, c.removed) };
  });
}

/** After a DSB that completes TLBIs: what was removed stays so. */
export function settle(classes: readonly EntryClass[]): readonly EntryClass[] {
  return classes.map((c) => ({ ...c, settled: c.removed }));
}

/** Is there nothing that such a DSB would complete? */
export function isSettled(classes: readonly EntryClass[]): boolean {
  return classes.every((c) => c.removed === c.settled || c.removed.length === 0);
}

/** IPAs for which no entry of class `walk` is left once `op` has taken effect. */
function withoutWalk(place: Place, walk: EntryClass, op: TlbiOp): readonly Interval[] {
  const taken = reach(place, walk, op);
  const everywhere: Interval = { lo: place.ipa, hi: place.ipa + place.size };
  if (walk.single) {
    const isSettled = isRemoved(place, { ...walk, removed: walk.settled });
    const isTaken = isRemoved(place, { ...walk, removed: taken === null ? [] : [taken] });
    return isSettled || isTaken ? [everywhere] : [];
  }
  return taken === null ? walk.settled : add(walk.settled, taken);
}

function intersect(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  return a.flatMap((one) =>
    b
      .map((other) => ({ lo: Math.max(one.lo, other.lo), hi: Math.min(one.hi, other.hi) }))
      .filter(({ lo, hi }) => lo < hi),
  );
}

export function isRemoved(place: Place, c: EntryClass): boolean {
  const end = place.ipa + place.size;
  if (c.single) return c.removed.some((i) => i.lo < end && place.ipa < i.hi);
  return c.removed.some((i) => i.lo <= place.ipa && end <= i.hi);
}

/** Is a leaf below the target in no TLB any more? */
export function isLeafRemoved(
  classes: readonly EntryClass[],
  { level, ipa, size }: { readonly level: Level; readonly ipa: number; readonly size: number },
): boolean {
  return classes.some(
    (c) =>
      c.structure === 'stage2' &&
      c.level === level &&
      c.removed.some(({ lo, hi }) => lo <= ipa && ipa + size <= hi),
  );
}

export function allRemoved(place: Place, classes: readonly EntryClass[]): boolean {
  return classes.every((c) => isRemoved(place, c));
}

/**
 * Bytes of the target whose level-3 (or deepest) entries are gone; for the sentence of a violation.
 */
export function bytesRemoved(place: Place, classes: readonly EntryClass[]): number {
  const end = place.ipa + place.size;
  const clipped = (c: EntryClass): number =>
    c.removed.reduce((n, i) => n + Math.max(0, Math.min(i.hi, end) - Math.max(i.lo, place.ipa)), 0);
  return classes.length === 0 ? place.size : Math.min(...classes.map(clipped));
}
