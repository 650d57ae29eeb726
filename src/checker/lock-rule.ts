/**
 * Who may store to an entry while the VM's lock is held for reading, beside vCPUs that handle faults
 * (v6.2 and later; 5c359cca1faf, c3119ae45dfb): whoever has put LOCKED there by compare-exchange
 * (stage2_try_break_pte), and nobody else (stage2_make_pte warns). Any other store has to be a
 * compare-exchange itself, which fails if somebody came first. One that leaves the entry invalid and not
 * LOCKED is no break: whoever faults finds a hole there, and makes it before the old translation is gone.
 */
import { AF, DBM, type Descriptor, isValid, LOCKED, S2AP_W } from '../arch/descriptor.ts';
import type { TraceEvent, TransitionTrace } from '../port/trace.ts';

const BESIDE = "while the VM's lock is held for reading";

const BROKEN_OPEN =
  `broken without ownership: a compare-exchange makes a valid entry invalid, but not LOCKED, ${BESIDE}, ` +
  'so a vCPU that faults may put its own mapping there before the TLBI has completed (stage2_try_break_pte)';

type WriteEvent = Extract<TraceEvent, { readonly op: 'write' }>;

export class Ownership {
  readonly #shared: boolean;
  /** Entries in which this thread has put LOCKED by compare-exchange. */
  readonly #owned = new Set<string>();

  constructor(trace: TransitionTrace) {
    this.#shared = trace.lock === 'shared';
  }

  /** The entry was found changed by another agent. */
  lose(entry: string): void {
    this.#owned.delete(entry);
  }

  /** What is wrong with storing to `entry`, which holds `current`; null: nothing. */
  judge(entry: string, event: WriteEvent, current: Descriptor): string | null {
    if (!this.#shared) return null;
    const owned = this.#owned.has(entry);
    if (event.order === 'cas') {
      if (event.value === LOCKED) this.#owned.add(entry);
      else this.#owned.delete(entry);
      return isValid(current) && !isValid(event.value) && event.value !== LOCKED
        ? BROKEN_OPEN
        : null;
    }
    if (owned) {
      if (event.value !== LOCKED) this.#owned.delete(entry);
      return null;
    }
    const how = event.order === 'plain' ? 'plain store' : 'store-release';
    if (!isValid(current) && current !== LOCKED) {
      return (
        `made without ownership: ${how} over an entry that is invalid but not LOCKED ${BESIDE}, ` +
        'so a vCPU that faulted may have put its own mapping there (stage2_make_pte)'
      );
    }
    const holds =
      current === LOCKED ? 'LOCKED, and not by a compare-exchange of this thread,' : 'valid';
    return (
      `${how} to an entry that is ${holds} ${BESIDE}: another walker may have changed it since it ` +
      'was read; it has to be taken by a compare-exchange to LOCKED (stage2_try_break_pte)'
    );
  }
}

/** Has a walker made `found` of `before`: access flag, and dirty state where it may (R_RTBRL)? */
function isWalkersUpdate(before: Descriptor, found: Descriptor): boolean {
  const set = before ^ found;
  if (set === 0n || (set & found) !== set || (set & ~(AF | S2AP_W)) !== 0n) return false;
  return (set & S2AP_W) === 0n || (before & DBM) !== 0n;
}

/**
 * Has a protocol left the entry to a walker, which set flags between its load and its compare-exchange? Under
 * a lock held for reading whoever loses gives way, and comes back with the next fault (-EAGAIN).
 */
export function gaveWay({ lock, events }: TransitionTrace): boolean {
  const isStored = events.some((event) => event.op === 'write' && event.entry === 'target');
  const isTaken = events.some(
    (event) =>
      event.op === 'read' &&
      event.entry === 'target' &&
      event.expected !== undefined &&
      isWalkersUpdate(event.expected, event.value),
  );
  return lock === 'shared' && isTaken && !isStored;
}
