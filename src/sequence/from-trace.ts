/**
 * What a transition did, as a sequence: the recorded operations of any protocol, or of a kernel that was
 * traced, in the words that a user can edit and run again.
 */
import { assertNever } from '../arch/assert.ts';
import {
  childLeaf,
  type Descriptor,
  EMPTY,
  isTable,
  LOCKED,
  NT,
  VALID,
} from '../arch/descriptor.ts';
import { entrySize, type Geometry, geometryOf, GRANULES } from '../arch/geometry.ts';
import { scopeOf, type TlbiOp } from '../arch/tlbi.ts';
import type { TableName, TraceEvent, TransitionTrace } from '../port/trace.ts';
import type { Action, Address, Sequence, Step, Value } from './steps.ts';

/** Steps that were never written have no place. */
const NOWHERE = Object.freeze({ line: 1, column: 1 });

type WriteEvent = Extract<TraceEvent, { readonly op: 'write' }>;

/**
 * Null where the grammar has no words for something it did: a descriptor of its own making, a second
 * table.
 */
export function sequenceOf(trace: TransitionTrace): Sequence | null {
  const geometry = geometryFor(trace);
  if (geometry === null) return null;
  const made = new Made(trace, geometry);
  const steps: Step[] = [];
  for (const event of trace.events) {
    const action = made.actionOf(event);
    if (action === null) return null;
    steps.push({ ...action, at: NOWHERE });
  }
  return {
    name: null,
    kind: made.isSplit ? 'split' : 'coalesce',
    lock: trace.lock,
    claims: { neverInvalid: false, handlesConflict: false },
    summary: null,
    origin: null,
    steps,
  };
}

/** Sizes tell granules apart. */
function geometryFor({ level, size }: TransitionTrace): Geometry | null {
  const granule = GRANULES.find((each) => entrySize(geometryOf(each), level) === size);
  return granule === undefined ? null : geometryOf(granule);
}

class Made {
  readonly isSplit: boolean;
  readonly #trace: TransitionTrace;
  readonly #geometry: Geometry;
  /** The child table of a split, once it is made. */
  #child: TableName | null;

  constructor(trace: TransitionTrace, geometry: Geometry) {
    this.#trace = trace;
    this.#geometry = geometry;
    this.isSplit = !isTable(trace.old, trace.level);
    this.#child = this.isSplit ? null : 'old';
  }

  actionOf(event: TraceEvent): Action | null {
    switch (event.op) {
      case 'read':
        if (event.entry === 'target') return { op: 'load', child: null };
        // The state of the old pages is read to be merged into the block.
        return event.table === 'old' ? { op: 'merge' } : null;
      case 'write':
        return this.#store(event);
      case 'dsb':
        return { op: 'dsb', kind: event.kind };
      case 'dmb':
        return { op: 'dmb', kind: event.kind };
      case 'isb':
      case 'ipi':
        return { op: event.op };
      case 'tlbi':
        return this.#tlbi(event.tlbi);
      case 'build':
      case 'allocate':
        if (this.#child !== null) return null;
        this.#child = event.table;
        if (event.op === 'allocate' && event.tried === true) {
          return { op: 'try-allocate', filled: false, steps: [] };
        }
        return { op: 'allocate', filled: event.op === 'build' };
      case 'no-memory':
      case 'vttbr':
      case 'tge':
        return null;
      case 'free':
        if (event.table !== this.#child) return null;
        return { op: 'free', part: event.part, when: event.when };
      case 'get':
      case 'put':
        return event.entry === 'target' ? { op: event.op, child: null } : null;
      case 'cmo': {
        const { pa, size } = this.#trace;
        return event.pa === pa && event.size === size ? { op: 'clean' } : null;
      }
      default:
        return assertNever(event);
    }
  }

  #store({ order, value, place, links }: WriteEvent): Action | null {
    if (place === null) {
      const word = this.#word(value, links);
      return word === null ? null : { op: 'store', order, value: word, child: null };
    }
    if (place.table !== this.#child) return null;
    const word = this.#childWord(value, place.index);
    return word === null ? null : { op: 'store', order, value: word, child: place.index };
  }

  #word(d: Descriptor, links: TableName | null): Value | null {
    const { old, wanted } = this.#trace;
    const block = this.isSplit ? old : wanted;
    if (d === EMPTY) return '0';
    if (d === LOCKED) return 'locked';
    if (d === block) return 'block';
    if (d === (block | NT)) return 'block+nt';
    if (d === old) return 'table';
    if (d === (old & ~VALID)) return 'invalid';
    return this.isSplit && links !== null && links === this.#child ? 'table' : null;
  }

  #childWord(d: Descriptor, index: number): Value | null {
    if (d === EMPTY) return '0';
    if (d === LOCKED) return 'locked';
    const { wanted, level } = this.#trace;
    return d === childLeaf(this.#geometry, wanted, level, index) ? 'block' : null;
  }

  #tlbi(op: TlbiOp): Action | null {
    const scope = scopeOf(op.kind);
    const isAddressed = scope === 'address' || scope === 'range';
    const address = isAddressed ? this.#address(op, scope === 'range') : null;
    if (isAddressed && address === null) return null;
    const { kind, ttl = 0, vmid = this.#trace.vmid } = op;
    return {
      op: 'tlbi',
      kind,
      address,
      ttl: isAddressed && ttl !== 0 ? ttl : null,
      vmid: scope === 'all' || vmid === this.#trace.vmid ? null : 'other',
    };
  }

  #address({ ipa = 0, size = 0 }: TlbiOp, isRange: boolean): Address | null {
    const page = 2 ** this.#geometry.pageShift;
    const offset = (ipa - this.#trace.ipa) / page;
    if (!isRange) return Number.isInteger(offset) && offset >= 0 ? { kind: 'page', offset } : null;
    if (offset !== 0) return null;
    return size === this.#trace.size ? { kind: 'range' } : { kind: 'pages', count: size / page };
  }
}
