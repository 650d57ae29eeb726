/**
 * A recorded operation as words, and the words of one transition as the checker's events.
 *
 *   operation, 7 words:   code | entry or table | low | high | a | b | slot
 *
 *   low, high   the two halves of a value; of other operations what OP says
 *   slot        of a child entry: which page of the old subtree it lies in (0 the top, 1 + n the one
 *               that its entry n points to) or NO_SLOT; of a table made or torn down: its level
 */
import { TABLE_OWNERS, type TableOwner } from '../../arch/context.ts';
import { type Descriptor, isTable } from '../../arch/descriptor.ts';
import type { Level } from '../../arch/geometry.ts';
import { TLBI_KINDS, type TlbiKind, type TlbiOp } from '../../arch/tlbi.ts';
import { DMB_KINDS, type DmbKind, DSB_KINDS, type DsbKind } from '../../port/cpu.ts';
import type { ChangeName } from '../../port/kinds.ts';
import type { Transition } from '../../port/protocol.ts';
import type {
  ChildPlace,
  EntryRole,
  FreedPart,
  TableName,
  TraceEvent,
  TransitionTrace,
} from '../../port/trace.ts';
import type { Layout } from '../layout.ts';

export const WORDS = 7;
export const NO_SLOT = -1;
/** Beside hint and "has an address" in operand `a` of a TLBI: it acts on another regime (arch/tlbi.ts). */
export const HOST_REGIME = 8;
/** An operand that was not given. */
export const NONE = -1;

export const OP = {
  read: 1,
  plain: 2,
  release: 3,
  cas: 4,
  /** What a child entry holds right before the store that follows. */
  before: 5,
  /** Subject: index into DSB_KINDS. */
  dsb: 6,
  isb: 7,
  /** Subject: index into TLBI_KINDS; first granule of 4 KiB from the IPA of the region, granules. */
  tlbi: 8,
  allocate: 9,
  /** The halves are those of the leaf it is like. */
  build: 10,
  /** Pages freed; a: index into FREED_PARTS. */
  freeNow: 11,
  freeGrace: 12,
  get: 13,
  put: 14,
  /** First granule of 4 KiB from the output address of the region, granules. */
  cmo: 15,
  /** Subject: index into DMB_KINDS. */
  dmb: 16,
  ipi: 17,
  /** An allocation that failed. */
  noMemory: 18,
  /** Subject: VMID; low: index into TABLE_OWNERS. */
  vttbr: 19,
  /** Subject: 1 or 0. */
  tge: 20,
  /** What a compare-exchange of the target expected that failed; the read that follows is what it found. */
  expected: 21,
} as const;
export const FREED_PARTS: readonly FreedPart[] = ['all', 'below', 'page'];

/** Where table pages and guest memory lie (layout.ts). */
export interface TraceAddresses {
  /** Bits [47:32] of the addresses of table pages and of guest memory; the lower ones start at 0. */
  readonly tableHigh: number;
  readonly guestHigh: number;
  readonly pageShift: number;
  readonly entriesPerTable: number;
}

export function traceAddresses(layout: Layout): TraceAddresses {
  return {
    tableHigh: layout.tablePaBase / 2 ** 32,
    guestHigh: layout.guestPaBase / 2 ** 32,
    pageShift: layout.pageShift,
    entriesPerTable: layout.entriesPerTable,
  };
}

/** The table page that a descriptor points to, or NONE: it is no table descriptor. */
export function pageLinked(addresses: TraceAddresses, low: number, high: number): number {
  if ((low & 3) !== 3 || (high & 0xffff) !== addresses.tableHigh) return NONE;
  return low >>> addresses.pageShift;
}

/** What a transition ran under. */
export interface TraceRun {
  readonly vmid: number;
  readonly lock: TransitionTrace['lock'];
  readonly change?: ChangeName;
  /** Software bits of the new version. Absent: those of what is wanted. */
  readonly tag?: number;
  /** Slot of a page of the old subtree that no operation on a child entry has told. */
  readonly slotOfPage: (page: number) => number;
}

/** Gives entries and pages their names while the words of one transition are gone through. */
class Names {
  readonly #entries: number[];
  readonly #made = new Set<number>();
  readonly #slots = new Map<number, number>();
  readonly #addresses: TraceAddresses;
  readonly #parent: number;
  readonly #slotOfPage: (page: number) => number;

  constructor(t: Transition, run: TraceRun, addresses: TraceAddresses) {
    this.#slotOfPage = run.slotOfPage;
    this.#addresses = addresses;
    this.#entries = [t.entry];
    this.#parent = Math.floor(t.entry / addresses.entriesPerTable);
    if (!isTable(t.old, t.level)) return;
    const low = Number(BigInt.asIntN(32, t.old));
    this.#slots.set(low >>> addresses.pageShift, 0);
  }

  role(entry: number): EntryRole {
    let i = this.#entries.indexOf(entry);
    if (i < 0) i = this.#entries.push(entry) - 1;
    return i === 0 ? 'target' : `child ${i}`;
  }

  make(page: number): TableName {
    this.#made.add(page);
    return this.table(page);
  }

  table(page: number): TableName {
    const slot = this.#slots.get(page) ?? this.#slotOfPage(page);
    if (slot !== NO_SLOT) return slot === 0 ? 'old' : `old ${slot - 1}`;
    if (page === this.#parent) return 'parent';
    return this.#made.has(page) ? `table ${page}` : `page ${page}`;
  }

  /** The page of a child entry, whose slot says whether it is one of the old subtree. */
  pageOf(entry: number, slot: number): TableName {
    const page = Math.floor(entry / this.#addresses.entriesPerTable);
    if (slot !== NO_SLOT) this.#slots.set(page, slot);
    return this.table(page);
  }

  indexOf(entry: number): number {
    return entry % this.#addresses.entriesPerTable;
  }
}

/** The words of one transition as the checker's events. */
export function traceOf(
  t: Transition,
  run: TraceRun,
  addresses: TraceAddresses,
  words: Int32Array,
): TransitionTrace {
  const names = new Names(t, run, addresses);
  const events: TraceEvent[] = [];
  let before: ChildPlace | null = null;
  let expected: Descriptor | null = null;
  for (let at = 0; at < words.length; at += WORDS) {
    const [code = 0, subject = 0, low = 0, high = 0, a = 0, b = 0, slot = 0] = words.subarray(
      at,
      at + WORDS,
    );
    const value = (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low));
    switch (code) {
      case OP.read: {
        const table = subject === t.entry ? null : names.pageOf(subject, slot);
        const index = table === null ? {} : { index: names.indexOf(subject) };
        const failed = expected === null ? {} : { expected };
        const entry = names.role(subject);
        events.push({ op: 'read', entry, value, table, ...index, ...failed });
        expected = null;
        break;
      }
      case OP.expected:
        expected = value;
        break;
      case OP.before:
        before = {
          table: names.pageOf(subject, slot),
          index: names.indexOf(subject),
          before: value,
        };
        break;
      case OP.plain:
      case OP.release:
      case OP.cas: {
        const order = code === OP.plain ? 'plain' : code === OP.release ? 'release' : 'cas';
        const page = pageLinked(addresses, low, high);
        const links = page === NONE ? null : names.table(page);
        const place: ChildPlace | null = subject === t.entry ? null : before;
        events.push({ op: 'write', order, entry: names.role(subject), value, links, place });
        break;
      }
      case OP.dsb:
        events.push({ op: 'dsb', kind: DSB_KINDS[subject] as DsbKind });
        break;
      case OP.dmb:
        events.push({ op: 'dmb', kind: DMB_KINDS[subject] as DmbKind });
        break;
      case OP.isb:
        events.push({ op: 'isb' });
        break;
      case OP.vttbr:
        events.push({ op: 'vttbr', vmid: subject, table: TABLE_OWNERS[low] as TableOwner });
        break;
      case OP.tge:
        events.push({ op: 'tge', on: subject === 1 });
        break;
      case OP.ipi:
        events.push({ op: 'ipi' });
        break;
      case OP.tlbi:
        events.push({ op: 'tlbi', tlbi: tlbiOf(t, subject, low, high, a, b) });
        break;
      case OP.allocate:
        events.push({ op: 'allocate', table: names.make(subject), level: slot as Level });
        break;
      case OP.noMemory:
        events.push({ op: 'no-memory', level: slot as Level });
        break;
      case OP.build: {
        const level = slot as Level;
        events.push({ op: 'build', table: names.make(subject), level, like: value });
        break;
      }
      case OP.freeNow:
      case OP.freeGrace:
        events.push({
          op: 'free',
          when: code === OP.freeNow ? 'now' : 'grace',
          table: names.table(subject),
          part: FREED_PARTS[a] as FreedPart,
          level: slot === NO_SLOT ? null : (slot as Level),
          tables: low,
        });
        break;
      case OP.get:
      case OP.put:
        events.push({ op: code === OP.get ? 'get' : 'put', entry: names.role(subject) });
        break;
      case OP.cmo:
        events.push({ op: 'cmo', pa: t.pa + low * 4096, size: high * 4096 });
        break;
      default:
        throw new Error(`unknown operation ${code}`);
    }
  }
  return {
    level: t.level,
    ipa: t.ipa,
    size: t.size,
    old: t.old,
    wanted: t.wanted,
    pa: t.pa,
    vmid: run.vmid,
    lock: run.lock,
    ...(run.change === undefined ? {} : { change: run.change }),
    // Regions are built, split and filled in down to pages.
    oldLeaves: isTable(t.old, t.level) ? [3] : [],
    events,
  };
}

function tlbiOf(
  t: Transition,
  kind: number,
  from: number,
  size: number,
  a: number,
  vmid: number,
): TlbiOp {
  const ttl = ((a >> 1) & 3) as 0 | 1 | 2 | 3;
  return {
    kind: TLBI_KINDS[kind] as TlbiKind,
    ...((a & 1) === 1 ? { ipa: t.ipa + from * 4096 } : {}),
    ...(size === NONE ? {} : { size: size * 4096 }),
    ...(ttl === 0 ? {} : { ttl }),
    ...(vmid === NONE ? {} : { vmid }),
    ...((a & HOST_REGIME) === 0 ? {} : { regime: 'el2&0' }),
  };
}
