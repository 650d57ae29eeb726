/**
 * What a store left to be done: the old translations it made stale are still in TLBs until a DSB, a
 * TLBI that covers them and a DSB ISH have followed (R_DDMVT steps 2 to 4).
 *
 * Casemate's INVALID_UNCLEAN with its sub-states, under longer names, for invalidated and for
 * directly replaced entries:
 *
 *   stored  --DSB ISH/ISHST-->  ordered  --IPAS2, whole range-->  stage2  --DSB ISH-->  stage2-done
 *     (n)                         (d)  \                           (ti)                     (td)
 *                                       \--VMALLS12E1IS, ALLE1IS--> flushed <--VMALLE1IS-----/
 *                                                                   (ta) --DSB ISH--> clean
 *
 * Unlike casemate it keeps what went wrong on the way, so that the sentence at the end can name it,
 * and it accepts only Inner Shareable barriers: walkers of other PEs are in that domain.
 */
import { assertNever } from '../arch/assert.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import { isBroadcast, isLastLevelOnly, reaches, scopeOf, type TlbiOp } from '../arch/tlbi.ts';
import type { DsbKind } from '../port/cpu.ts';
import type { TraceEvent } from '../port/trace.ts';
import {
  allRemoved,
  bytesRemoved,
  classesOf,
  type EntryClass,
  remove,
  settle,
  take,
} from './coverage.ts';
import type { Place } from './place.ts';

export type Progress = 'stored' | 'ordered' | 'stage2' | 'stage2-done' | 'flushed';

/** Why a barrier or TLBI did not help. */
export type MishapKind =
  | 'tlbi-before-dsb'
  | 'wrong-vmid'
  | 'other-regime'
  | 'local-tlbi'
  | 'wrong-ttl'
  | 'last-level-only'
  | 'outside-range'
  | 'part-of-range'
  | 'stage1-without-stage2'
  | 'stage1-before-dsb'
  | 'local-dsb'
  | 'store-only-dsb';

export interface Mishap {
  readonly kind: MishapKind;
  readonly event: number;
  readonly op: TlbiOp | null;
  /** The barrier that was too weak. */
  readonly dsb: DsbKind | null;
  /** Bytes of the entry's range whose entries were removed so far. */
  readonly bytes: number;
}

export interface Obligation {
  /** Descriptors whose translations may still be cached. */
  readonly olds: readonly Descriptor[];
  /** The store that made them stale, and the last TLBI before it. */
  readonly storedAt: number;
  readonly tlbiBefore: number | null;
  readonly progress: Progress;
  readonly classes: readonly EntryClass[];
  /** The latest of each kind. */
  readonly mishaps: ReadonlyMap<MishapKind, Mishap>;
}

export function newObligation(
  place: Place,
  olds: readonly Descriptor[],
  storedAt: number,
  tlbiBefore: number | null,
): Obligation {
  const classes = classesOf(place, olds);
  return { olds, storedAt, tlbiBefore, progress: 'stored', classes, mishaps: new Map() };
}

function withMishap(o: Obligation, mishap: Mishap): Obligation {
  return { ...o, mishaps: new Map(o.mishaps).set(mishap.kind, mishap) };
}

/** Barriers that did not help before this step are no explanation for what comes after it. */
function reached(o: Obligation, progress: Progress): Obligation {
  const mishaps = new Map(o.mishaps);
  mishaps.delete('local-dsb');
  mishaps.delete('store-only-dsb');
  return { ...o, progress, mishaps };
}

function afterDsb(o: Obligation, kind: DsbKind, event: number): Obligation | null {
  const inner = kind === 'ish' || kind === 'ishst';
  const mishap = (m: MishapKind): Obligation =>
    withMishap(o, { kind: m, event, op: null, dsb: kind, bytes: 0 });
  switch (o.progress) {
    case 'stored':
      return inner ? reached(o, 'ordered') : mishap('local-dsb');
    case 'ordered':
      return kind === 'ish' ? { ...o, classes: settle(o.classes) } : o;
    case 'stage2-done':
      return o;
    case 'stage2':
      if (kind === 'ish') return reached(o, 'stage2-done');
      return mishap(inner ? 'store-only-dsb' : 'local-dsb');
    case 'flushed':
      // R_PSMWS: the completing DSB covers loads and stores; R_YNJCP: other PEs are done only then.
      return kind === 'ish' ? null : mishap(inner ? 'store-only-dsb' : 'local-dsb');
    default:
      return assertNever(o.progress);
  }
}

/** Why `op`, a stage-2 operation of the right VMID, left entries behind. */
function shortfall(place: Place, o: Obligation, op: TlbiOp): MishapKind {
  const gain = (by: TlbiOp): number =>
    remove(place, o.classes, by).filter((c, i) => c !== o.classes[i]).length;
  const { ttl, granule: _, ...anyLevel } = op;
  if (ttl && gain(anyLevel) > gain(op)) return 'wrong-ttl';
  const start = op.ipa ?? 0;
  const end = start + (scopeOf(op.kind) === 'range' ? (op.size ?? 0) : 1);
  if (end <= place.ipa || place.ipa + place.size <= start) return 'outside-range';
  if (isLastLevelOnly(op.kind)) {
    const rest = o.classes.filter((c) => c.structure !== 'walk');
    const taken = take(place, rest, op);
    const bytes = bytesRemoved(place, remove(place, o.classes, op));
    if (allRemoved(place, taken) || bytesRemoved(place, taken) > bytes) return 'last-level-only';
  }
  return 'part-of-range';
}

function afterTlbi(place: Place, o: Obligation, op: TlbiOp, event: number): Obligation {
  const mishap = (on: Obligation, kind: MishapKind): Obligation => {
    const bytes = bytesRemoved(place, on.classes);
    // A TLBI comes too early because no DSB was there, or because the one that was is too weak.
    const weak = on.mishaps.get('local-dsb') ?? on.mishaps.get('store-only-dsb');
    return withMishap(on, { kind, event, op, dsb: weak?.dsb ?? null, bytes });
  };
  if (o.progress === 'flushed') return o;
  if (o.progress === 'stored') return mishap(o, 'tlbi-before-dsb');
  if (!isBroadcast(op.kind)) return mishap(o, 'local-tlbi');
  if (op.regime !== undefined) return mishap(o, 'other-regime');
  const wrongVmid = op.vmid !== undefined && op.vmid !== place.vmid;
  if (wrongVmid && scopeOf(op.kind) !== 'all') {
    // Of several the one that would have reached most.
    const isTold = o.mishaps.has('wrong-vmid') && !reaches(op.kind, 'stage2');
    return isTold ? o : mishap(o, 'wrong-vmid');
  }
  const stage2 = reaches(op.kind, 'stage2');
  const combined = reaches(op.kind, 'combined');
  if (stage2 && combined) return reached(o, 'flushed');
  if (combined) {
    if (o.progress === 'stage2-done') return reached(o, 'flushed');
    return mishap(o, o.progress === 'stage2' ? 'stage1-before-dsb' : 'stage1-without-stage2');
  }
  if (o.progress !== 'ordered') return o;
  const next: Obligation = { ...o, classes: remove(place, o.classes, op) };
  if (allRemoved(place, next.classes)) return reached(next, 'stage2');
  return mishap(next, shortfall(place, o, op));
}

/** The obligation after one more event; null once every old translation is gone. */
export function advance(
  place: Place,
  o: Obligation,
  event: TraceEvent,
  index: number,
): Obligation | null {
  if (event.op === 'dsb') return afterDsb(o, event.kind, index);
  if (event.op === 'tlbi') return afterTlbi(place, o, event.tlbi, index);
  return o;
}
