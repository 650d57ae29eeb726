/**
 * What a transition did, operation by operation, and the distinct ways a protocol has been seen to
 * do it.
 *
 * During a transition an operation costs a few stores into a private array. Afterwards, outside of
 * every window, the words are made relative, so that addresses, versions and table pages that
 * differ from one transition to the next drop out, and compared with the traces seen before: a
 * million transitions of a deterministic protocol become one trace with a count, and every one of
 * them was looked at.
 *
 *   operation, 6 words:   code | entry or table | low | high | a | b
 */
import { assert } from '../arch/assert.ts';
import { isTable, softwareBits, type Descriptor } from '../arch/descriptor.ts';
import { TLBI_KINDS, type TlbiKind, type TlbiOp } from '../arch/tlbi.ts';
import { DSB_KINDS, type DsbKind, type Entry } from '../port/cpu.ts';
import type { Transition } from '../port/protocol.ts';
import type { Table } from '../port/tables.ts';
import type { EntryRole, TraceEvent, TransitionTrace } from '../port/trace.ts';

/** A longer transition is judged by its first part only, and the result says so. */
export const OPERATIONS_MAX = 2 ** 15;
/**
 * Distinct traces kept per protocol; a protocol that has more is not deterministic, and the result
 * says so.
 */
export const TRACES_MAX = 64;

const WORDS = 6;
const OP = {
  read: 1,
  plain: 2,
  release: 3,
  cas: 4,
  dsb: 5,
  isb: 6,
  tlbi: 7,
  allocate: 8,
  build: 9,
  freeNow: 10,
  freeGrace: 11,
  get: 12,
  put: 13,
  cmo: 14,
} as const;

export interface SeenTrace {
  readonly trace: TransitionTrace;
  count: number;
  /** The transition was longer than OPERATIONS_MAX. */
  readonly truncated: boolean;
}

export interface TraceLog {
  begin(transition: Transition, vmid: number): void;
  read(entry: Entry, d: Descriptor): void;
  /** The value as its two halves: a store's bookkeeping makes no BigInt. */
  write(order: 'plain' | 'release' | 'cas', entry: Entry, low: number, high: number): void;
  dsb(kind: DsbKind): void;
  isb(): void;
  tlbi(op: TlbiOp): void;
  made(how: 'allocate' | 'build', table: Table): void;
  freed(when: 'now' | 'grace', table: Table, tables: number): void;
  counted(how: 'get' | 'put', entry: Entry): void;
  cleaned(bytes: number): void;
  /** Reduces and counts the transition. */
  end(): void;
  readonly seen: readonly SeenTrace[];
  /** Transitions whose trace was dropped because TRACES_MAX distinct ones exist already. */
  readonly dropped: number;
}

/**
 * What tells a table's address from a leaf's: bits [47:32] of the table pages and of guest memory
 * (layout.ts).
 */
export interface TraceAddresses {
  readonly tableHigh: number;
  readonly guestHigh: number;
}

const TAG_SHIFT = 55 - 32;
const TAG_MASK = 0xf << TAG_SHIFT;
const NONE = -1;

/** A distinct trace: the relative words it is known by. */
interface Known {
  readonly words: Int32Array;
  readonly seen: SeenTrace;
}

/** The nearest word: an address too far away to be kept stays far away. */
const toWord = (n: number): number => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, n));

/** Operations whose subject is a table page. */
const isTableOp = (code: number): boolean => code >= OP.allocate && code <= OP.freeGrace;

export function createTraceLog(addresses: TraceAddresses): TraceLog {
  const raw = new Int32Array(OPERATIONS_MAX * WORDS);
  const relative = new Int32Array(OPERATIONS_MAX * WORDS);
  const cell = new BigUint64Array(1);
  const halves = new Int32Array(cell.buffer);
  const tableNames: number[] = [];
  /** Pages made or freed, apart from those pointed to: freeing the old table or one's own differs. */
  const pageNames: number[] = [];
  const entryNames: number[] = [];
  const known: Known[] = [];
  let used = 0;
  let transition: Transition | null = null;
  let vmid = 0;
  let truncated = false;
  let dropped = 0;

  function add(
    code: number,
    subject: number,
    low: number,
    high: number,
    a: number,
    b: number,
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
    used += WORDS;
  }

  function addValue(code: number, entry: Entry, d: Descriptor): void {
    cell[0] = d;
    add(code, entry, halves[0] as number, halves[1] as number, 0, 0);
  }

  /**
   * Position of first appearance: names that do not depend on where a table or entry happens to
   * lie.
   */
  function nameIn(names: number[], value: number): number {
    for (let i = 0; i < names.length; i++) if (names[i] === value) return i;
    return names.push(value) - 1;
  }

  /**
   * Fills `relative` and returns how many of its words are used. Reads of child entries stay out:
   * the automaton ignores them, and a protocol that looks at a different number of children each
   * time is no other protocol.
   */
  function makeRelative(t: Transition): number {
    entryNames.length = 0;
    entryNames.push(t.entry);
    tableNames.length = 0;
    // Name 0 is the old table's: putting it back is not the same as linking another.
    tableNames.push(isTable(t.old, t.level) ? Number((t.old >> 12n) & 0xf_ffffn) : NONE);
    pageNames.length = 0;
    const version = softwareBits(t.wanted);
    const baseFrame = t.pa / 4096;
    let to = 0;
    for (let from = 0; from < used; from += WORDS) {
      const code = raw[from] as number;
      const subject = raw[from + 1] as number;
      if (code === OP.read && subject !== t.entry) continue;
      const at = to;
      to += WORDS;
      for (let k = 0; k < WORDS; k++) relative[at + k] = raw[from + k] as number;
      const isValue = code <= OP.cas;
      if (isValue || code === OP.get || code === OP.put)
        relative[at + 1] = nameIn(entryNames, subject);
      else if (isTableOp(code)) relative[at + 1] = nameIn(pageNames, subject);
      if (!isValue) continue;
      const low = raw[from + 2] as number;
      const high = raw[from + 3] as number;
      const addressHigh = high & 0xffff;
      if (addressHigh === addresses.tableHigh) {
        relative[at + 2] = low & 0xfff;
        relative[at + 3] = high & ~TAG_MASK & ~0xffff;
        relative[at + 4] = nameIn(tableNames, low >>> 12);
        relative[at + 5] = 1;
      } else if (addressHigh >= addresses.guestHigh) {
        // Bit 16 (nT) lies in a page's address; frames are compared, so it cancels out for pages
        // and stays for blocks.
        relative[at + 2] = low & 0xfff;
        relative[at + 3] = high & ~TAG_MASK & ~0xffff;
        relative[at + 4] = ((low >>> 12) | (addressHigh << 20)) - baseFrame;
        relative[at + 5] = 2 + (((high >>> TAG_SHIFT) - version) & 15);
      }
    }
    return to;
  }

  function matches({ words, seen }: Known, length: number): boolean {
    if (words.length !== length || seen.truncated !== truncated) return false;
    for (let i = 0; i < length; i++) if (words[i] !== relative[i]) return false;
    return true;
  }

  return {
    begin(t, v) {
      // A copy: what a protocol makes of the object it was given is no measure for it.
      transition = { ...t };
      vmid = v;
      truncated = false;
      used = 0;
    },
    read: (entry, d) => addValue(OP.read, entry, d),
    write: (order, entry, low, high) => add(OP[order], entry, low, high, 0, 0),
    dsb(kind) {
      const index = DSB_KINDS.indexOf(kind);
      assert(index >= 0, `no DSB is called "${kind}"`);
      add(OP.dsb, index, 0, 0, 0, 0);
    },
    isb: () => add(OP.isb, 0, 0, 0, 0, 0),
    tlbi(op) {
      assert(transition !== null, 'TLBI outside of a transition');
      const { ipa = 0, size: bytes = 0 } = op;
      // Would be stored as 0, which is the right address.
      assert(!Number.isNaN(ipa + bytes), `${op.kind}: IPA ${ipa} or size ${bytes} is no number`);
      // Addresses are kept relative and in granules of 4 KiB: exact for every granule, and within a
      // word. What lies between two is rounded as the TLBI log rounds it.
      const first = Math.floor((ipa - transition.ipa) / 4096);
      const end = Math.ceil((ipa - transition.ipa + bytes) / 4096);
      const from = op.ipa === undefined ? NONE : toWord(first);
      const size = op.size === undefined ? NONE : toWord(bytes <= 0 ? 0 : end - first);
      const isOff = op.ipa === undefined ? 0 : 1;
      add(
        OP.tlbi,
        TLBI_KINDS.indexOf(op.kind),
        from,
        size,
        (op.ttl ?? 0) * 2 + isOff,
        op.vmid ?? NONE,
      );
    },
    made: (how, table) => add(OP[how], table, 0, 0, 0, 0),
    freed: (when, table, tables) =>
      add(when === 'now' ? OP.freeNow : OP.freeGrace, table, tables, 0, 0, 0),
    counted: (how, entry) => add(OP[how], entry, 0, 0, 0, 0),
    cleaned: (bytes) => add(OP.cmo, bytes / 4096, 0, 0, 0, 0),
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
      const trace = traceOf(transition, vmid, raw.subarray(0, used));
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

/** The words of one transition as the checker's events. */
function traceOf(t: Transition, vmid: number, words: Int32Array): TransitionTrace {
  const entries: number[] = [t.entry];
  const made = new Set<number>();
  const roleOf = (entry: number): EntryRole => {
    let i = entries.indexOf(entry);
    if (i < 0) i = entries.push(entry) - 1;
    return i === 0 ? 'target' : `child ${i}`;
  };
  const events: TraceEvent[] = [];
  for (let at = 0; at < words.length; at += WORDS) {
    const [code = 0, subject = 0, low = 0, high = 0, a = 0, b = 0] = words.subarray(at, at + WORDS);
    const value = (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low));
    switch (code) {
      case OP.read:
        events.push({ op: 'read', entry: roleOf(subject), value });
        break;
      case OP.plain:
      case OP.release:
      case OP.cas: {
        const order = code === OP.plain ? 'plain' : code === OP.release ? 'release' : 'cas';
        events.push({ op: 'write', order, entry: roleOf(subject), value });
        break;
      }
      case OP.dsb:
        events.push({ op: 'dsb', kind: DSB_KINDS[subject] as DsbKind });
        break;
      case OP.isb:
        events.push({ op: 'isb' });
        break;
      case OP.tlbi:
        events.push({ op: 'tlbi', tlbi: tlbiOf(t, subject, low, high, a, b) });
        break;
      case OP.allocate:
      case OP.build:
        made.add(subject);
        events.push({ op: code === OP.build ? 'build' : 'allocate', table: `table ${subject}` });
        break;
      case OP.freeNow:
      case OP.freeGrace:
        events.push({
          op: 'free',
          when: code === OP.freeNow ? 'now' : 'grace',
          tables: low,
          ofOld: !made.has(subject),
        });
        break;
      case OP.get:
      case OP.put:
        events.push({ op: code === OP.get ? 'get' : 'put', entry: roleOf(subject) });
        break;
      case OP.cmo:
        events.push({ op: 'cmo', size: subject * 4096 });
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
    vmid,
    oldHasChildren: isTable(t.old, t.level),
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
  const ttl = (a >> 1) as 0 | 1 | 2 | 3;
  return {
    kind: TLBI_KINDS[kind] as TlbiKind,
    ...((a & 1) === 1 ? { ipa: t.ipa + from * 4096 } : {}),
    ...(size === NONE ? {} : { size: size * 4096 }),
    ...(ttl === 0 ? {} : { ttl }),
    ...(vmid === NONE ? {} : { vmid }),
  };
}
