/**
 * What a transition did, operation by operation, and the distinct ways a protocol has been seen to
 * do it.
 *
 * During a transition an operation costs a few stores into a private array. Afterwards, outside of
 * every window, the words are made relative, so that addresses, versions and table pages that
 * differ from one transition to the next drop out, and compared with the traces seen before: a
 * million transitions of a deterministic protocol become one trace with a count, and every one of
 * them was looked at. trace-words.ts has the words.
 */
import { assert } from '../../arch/assert.ts';
import { TABLE_OWNERS, type TableOwner } from '../../arch/context.ts';
import { isTable, softwareBits, type Descriptor } from '../../arch/descriptor.ts';
import type { Level } from '../../arch/geometry.ts';
import { TLBI_KINDS, type TlbiOp } from '../../arch/tlbi.ts';
import { DMB_KINDS, DSB_KINDS, type DmbKind, type DsbKind, type Entry } from '../../port/cpu.ts';
import { changeNamed } from '../../port/kinds.ts';
import type { Transition } from '../../port/protocol.ts';
import type { Table } from '../../port/tables.ts';
import type { FreedPart, TransitionTrace } from '../../port/trace.ts';
import {
  FREED_PARTS,
  HOST_REGIME,
  NO_SLOT,
  NONE,
  OP,
  type TraceAddresses,
  traceOf,
  type TraceRun,
  WORDS,
} from './trace-words.ts';

/** A longer transition is judged by its first part only, and the result says so. */
export const OPERATIONS_MAX = 2 ** 15;
/**
 * Distinct traces kept per protocol; a protocol that has more is not deterministic, and the result
 * says so.
 */
export const TRACES_MAX = 64;

export interface SeenTrace {
  readonly trace: TransitionTrace;
  count: number;
  /** The transition was longer than OPERATIONS_MAX. */
  readonly truncated: boolean;
}

export interface TraceLog {
  begin(transition: Transition, run: TraceRun): void;
  /** `slot`: which page of the old subtree a child entry lies in (trace-words.ts). */
  read(entry: Entry, d: Descriptor, slot: number): void;
  /** Right before the read that says what a compare-exchange of the target has found, which then failed. */
  failed(entry: Entry, expected: Descriptor): void;
  /** What a child entry holds right before the store that is recorded next. */
  before(entry: Entry, d: Descriptor, slot: number): void;
  /** The value as its two halves: a store's bookkeeping makes no BigInt. */
  write(order: 'plain' | 'release' | 'cas', entry: Entry, low: number, high: number): void;
  dsb(kind: DsbKind): void;
  dmb(kind: DmbKind): void;
  isb(): void;
  vttbr(vmid: number, table: TableOwner): void;
  tge(on: boolean): void;
  ipi(): void;
  tlbi(op: TlbiOp): void;
  allocated(table: Table, level: Level): void;
  noMemory(level: Level): void;
  built(table: Table, level: Level, like: Descriptor): void;
  /** `level`: what the teardown takes the page's entries to be of; NO_SLOT for a single page. */
  freed(when: 'now' | 'grace', table: Table, part: FreedPart, tables: number, level: number): void;
  counted(how: 'get' | 'put', entry: Entry): void;
  /** `size` bytes from output address `pa`. */
  cleaned(pa: number, size: number): void;
  /** Reduces and counts the transition. */
  end(): void;
  readonly seen: readonly SeenTrace[];
  /** Transitions whose trace was dropped because TRACES_MAX distinct ones exist already. */
  readonly dropped: number;
}

/** In place of an entry's index. */
const TARGET = -1;
const TAG_SHIFT = 55 - 32;
const TAG_MASK = 0xf << TAG_SHIFT;

/** A distinct trace: the relative words it is known by. */
interface Known {
  readonly words: Int32Array;
  readonly seen: SeenTrace;
}

/** Numbers of table pages freed at once from which on traces count as the same. */
const MANY_TABLES = 2;

/** The nearest word: an address too far away to be kept stays far away. */
const toWord = (n: number): number => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, n));

/** Operations whose subject is a table page. */
const isTableOp = (code: number): boolean => code >= OP.allocate && code <= OP.freeGrace;

/** Names by order of appearance: they do not depend on where a table or an entry happens to lie. */
interface Names {
  of(value: number): number;
  clear(): void;
}

/** In words that are kept, because an array that is emptied by its length costs more than all it holds. */
function createNames(): Names {
  const values = new Int32Array(OPERATIONS_MAX + 1);
  let count = 0;
  return {
    of(value) {
      for (let i = 0; i < count; i++) if (values[i] === value) return i;
      values[count] = value;
      return count++;
    },
    clear() {
      count = 0;
    },
  };
}

export function createTraceLog(addresses: TraceAddresses): TraceLog {
  const raw = new Int32Array(OPERATIONS_MAX * WORDS);
  const relative = new Int32Array(OPERATIONS_MAX * WORDS);
  const cell = new BigUint64Array(1);
  const halves = new Int32Array(cell.buffer);
  const tableNames = createNames();
  /** Pages made or freed, apart from those pointed to: freeing the old table or one's own differs. */
  const pageNames = createNames();
  const known: Known[] = [];
  let used = 0;
  let transition: Transition | null = null;
  let run: TraceRun = { vmid: 0, lock: 'exclusive', slotOfPage: () => NO_SLOT };
  let truncated = false;
  let dropped = 0;

  function add(
    code: number,
    subject: number,
    low: number,
    high: number,
    a: number,
    b: number,
    slot = NO_SLOT,
  ): void {
    if (used === raw.length) {
      truncated = true;
      return;
    }
    raw[used] = code;
    raw[used + 1] = subject;
    raw[used + 2] = low;
    raw[used + 3] = high;
    raw[used + 4] = a;
    raw[used + 5] = b;
    raw[used + 6] = slot;
    used += WORDS;
  }

  function addValue(code: number, subject: number, d: Descriptor, slot: number): void {
    cell[0] = d;
    add(code, subject, halves[0] as number, halves[1] as number, 0, 0, slot);
  }

  /** Granules of 4 KiB from `base`, exact for every granule and within a word, and how many. */
  function granules(base: number, first: number, bytes: number): readonly [number, number] {
    const from = Math.floor((first - base) / 4096);
    const end = Math.ceil((first - base + bytes) / 4096);
    return [toWord(from), toWord(bytes <= 0 ? 0 : end - from)];
  }

  /** Makes the value at `from` relative to the tables named so far, the region and its version `tag`. */
  function relateValue(from: number, at: number, t: Transition, tag: number): void {
    const low = raw[from + 2] as number;
    const high = raw[from + 3] as number;
    const addressHigh = high & 0xffff;
    if (addressHigh === addresses.tableHigh) {
      relative[at + 2] = low & 0xfff;
      relative[at + 3] = high & ~TAG_MASK & ~0xffff;
      relative[at + 4] = tableNames.of(low >>> 12);
      relative[at + 5] = 1;
    } else if (addressHigh >= addresses.guestHigh) {
      // Bit 16 (nT) lies in a page's address; frames are compared, so it cancels out for pages and
      // stays for blocks.
      relative[at + 2] = low & 0xfff;
      relative[at + 3] = high & ~TAG_MASK & ~0xffff;
      relative[at + 4] = ((low >>> 12) | (addressHigh << 20)) - t.pa / 4096;
      relative[at + 5] = 2 + (((high >>> TAG_SHIFT) - tag) & 15);
    }
  }

  /**
   * By its index in its page. Pages of the old subtree are known by their slot, others by order of
   * appearance.
   */
  function relateEntry(at: number, entry: number, slot: number): void {
    relative[at + 1] = entry % addresses.entriesPerTable;
    if (slot !== NO_SLOT) return;
    const page = Math.floor(entry / addresses.entriesPerTable);
    relative[at + 6] = -2 - pageNames.of(page);
  }

  /**
   * Fills `relative` and returns how many of its words are used. Reads of child entries stay out
   * unless their page was freed before, or they find one of the holes that a table is meant to have: the
   * automaton ignores the others, and a protocol that looks at a different number of children each time
   * is no other protocol.
   */
  function makeRelative(t: Transition): number {
    tableNames.clear();
    // Name 0 is the old table's: putting it back is not the same as linking another.
    cell[0] = t.old;
    tableNames.of(isTable(t.old, t.level) ? (halves[0] as number) >>> 12 : NONE);
    pageNames.clear();
    const tag = run.tag ?? softwareBits(t.wanted);
    let hasFreed = false;
    const hasHoles = run.change !== undefined && changeNamed(run.change).holes === true;
    let to = 0;
    for (let from = 0; from < used; from += WORDS) {
      const code = raw[from] as number;
      const subject = raw[from + 1] as number;
      if (code === OP.read && subject !== t.entry && !hasFreed) {
        const findsHole = hasHoles && ((raw[from + 2] as number) & 1) === 0;
        if (!findsHole) continue;
      }
      const at = to;
      to += WORDS;
      for (let k = 0; k < WORDS; k++) relative[at + k] = raw[from + k] as number;
      if (code <= OP.before || code === OP.get || code === OP.put || code === OP.expected) {
        if (subject === t.entry) relative[at + 1] = TARGET;
        else relateEntry(at, subject, raw[from + 6] as number);
      } else if (isTableOp(code)) {
        relative[at + 1] = pageNames.of(subject);
        hasFreed ||= code === OP.freeNow;
        // How many pages a teardown freed says how far the old subtree was populated, not what the
        // protocol did.
        if (code === OP.freeNow || code === OP.freeGrace) {
          relative[at + 2] = Math.min(relative[at + 2] as number, MANY_TABLES);
        }
      }
      if (code <= OP.before || code === OP.build || code === OP.expected) {
        relateValue(from, at, t, tag);
      }
    }
    return to;
  }

  function matches({ words, seen }: Known, length: number): boolean {
    if (words.length !== length || seen.truncated !== truncated) return false;
    if (seen.trace.change !== run.change) return false;
    for (let i = 0; i < length; i++) if (words[i] !== relative[i]) return false;
    return true;
  }

  return {
    begin(t, traceRun) {
      // A copy: what a protocol makes of the object it was given is no measure for it.
      transition = { ...t };
      run = traceRun;
      truncated = false;
      used = 0;
    },
    read: (entry, d, slot) => addValue(OP.read, entry, d, slot),
    failed: (entry, expected) => addValue(OP.expected, entry, expected, NO_SLOT),
    before: (entry, d, slot) => addValue(OP.before, entry, d, slot),
    write: (order, entry, low, high) => add(OP[order], entry, low, high, 0, 0),
    dsb: (kind) => add(OP.dsb, DSB_KINDS.indexOf(kind), 0, 0, 0, 0),
    dmb: (kind) => add(OP.dmb, DMB_KINDS.indexOf(kind), 0, 0, 0, 0),
    isb: () => add(OP.isb, 0, 0, 0, 0, 0),
    vttbr: (vmid, table) => add(OP.vttbr, vmid, TABLE_OWNERS.indexOf(table), 0, 0, 0),
    tge: (on) => add(OP.tge, on ? 1 : 0, 0, 0, 0, 0),
    ipi: () => add(OP.ipi, 0, 0, 0, 0, 0),
    tlbi(op) {
      assert(transition !== null, 'TLBI outside of a transition');
      // What lies between two granules is rounded as the TLBI log rounds it.
      const [first, count] = granules(transition.ipa, op.ipa ?? 0, op.size ?? 0);
      const from = op.ipa === undefined ? NONE : first;
      const size = op.size === undefined ? NONE : count;
      const isOff = op.ipa === undefined ? 0 : 1;
      const kind = TLBI_KINDS.indexOf(op.kind);
      const regime = op.regime === undefined ? 0 : HOST_REGIME;
      add(OP.tlbi, kind, from, size, regime + (op.ttl ?? 0) * 2 + isOff, op.vmid ?? NONE);
    },
    allocated: (table, level) => add(OP.allocate, table, 0, 0, 0, 0, level),
    noMemory: (level) => add(OP.noMemory, 0, 0, 0, 0, 0, level),
    built: (table, level, like) => addValue(OP.build, table, like, level),
    freed(when, table, part, tables, level) {
      const code = when === 'now' ? OP.freeNow : OP.freeGrace;
      add(code, table, tables, 0, FREED_PARTS.indexOf(part), 0, level);
    },
    counted: (how, entry) => add(OP[how], entry, 0, 0, 0, 0),
    cleaned(pa, size) {
      assert(transition !== null, 'cache clean outside of a transition');
      const [from, count] = granules(transition.pa, pa, size);
      add(OP.cmo, 0, from, count, 0, 0);
    },
    end() {
      assert(transition !== null, 'trace ended before it began');
      const length = makeRelative(transition);
      for (const k of known) {
        if (!matches(k, length)) continue;
        k.seen.count++;
        return;
      }
      if (known.length >= TRACES_MAX) {
        dropped++;
        return;
      }
      const trace = traceOf(transition, run, addresses, raw.subarray(0, used));
      known.push({ words: relative.slice(0, length), seen: { trace, count: 1, truncated } });
    },
    get seen() {
      return known.map((k) => k.seen);
    },
    get dropped() {
      return dropped;
    },
  };
}
