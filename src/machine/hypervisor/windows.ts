/**
 * How long a transition keeps its entry invalid, and how long valid with nT set.
 *
 * Times are taken so that they do not widen what they measure: the clock is read *before* the store
 * that makes the entry invalid and *after* the one that makes it valid again, never between two
 * stores of one window. A window is therefore over-estimated by up to two clock reads (about 60 ns
 * here), never widened for the vCPUs. The flush is timed on every eighth transition only, whose
 * windows are not used, because that clock read would lie inside the window.
 */
import { type Descriptor, isValid, NT, TYPE_TABLE_OR_PAGE, VALID } from '../../arch/descriptor.ts';

/** Times are ns, -1 where not measured. */
export interface WindowFigures {
  windowNs: number;
  ntWindowNs: number;
}

export interface Windows {
  /** The entry holds `old`. True: the flush of this transition is to be timed, and its windows are not. */
  begin: (old: Descriptor, measured: boolean) => boolean;
  /** Right before the entry is stored to; `low` is the low half of what is stored. */
  beforeStore: (low: number) => void;
  /** Right after it. */
  afterStore: (low: number) => void;
  /** There was no store after all: a compare-exchange failed. */
  notStored: () => void;
  end: () => void;
}

const FLUSH_SAMPLE = 8;
/** In the low half: nT, type and valid bits, and a valid block with nT set. */
const NT_BLOCK_MASK = Number(NT | TYPE_TABLE_OR_PAGE | VALID);
const NT_BLOCK = Number(NT | VALID);

/** Milliseconds of the clock to whole nanoseconds. */
export const toNs = (ms: number): number => Math.round(ms * 1e6);

/** `figures` gets the times of the transition that runs. */
export function createWindows(figures: WindowFigures): Windows {
  let count = 0;
  let timesFlush = false;
  let invalidSince = -1;
  let ntSince = -1;
  let isEntryValid = true;

  // Between two stores of one transition every nanosecond is window, so what follows looks at the
  // descriptor through its low half: BigInt operations allocate.
  const isNtBlock = (low: number): boolean => (low & NT_BLOCK_MASK) === NT_BLOCK;

  return {
    begin(old, measured) {
      isEntryValid = isValid(old);
      timesFlush = measured && count++ % FLUSH_SAMPLE === FLUSH_SAMPLE - 1;
      invalidSince = ntSince = -1;
      figures.windowNs = figures.ntWindowNs = -1;
      return timesFlush;
    },
    beforeStore(low) {
      if ((low & 1) === 0) {
        if (invalidSince < 0 && isEntryValid) invalidSince = performance.now();
      } else if (invalidSince < 0 && ntSince < 0 && isNtBlock(low)) {
        ntSince = performance.now();
      }
    },
    afterStore(low) {
      isEntryValid = (low & 1) !== 0;
      if (!isEntryValid) return;
      if (invalidSince >= 0) {
        const now = performance.now();
        figures.windowNs = Math.max(figures.windowNs, 0) + toNs(now - invalidSince);
        invalidSince = -1;
        // Straight from invalid to nT: one clock read, after the store, ends one window and starts
        // the other.
        if (isNtBlock(low) && ntSince < 0) ntSince = now;
      }
      if (ntSince >= 0 && !isNtBlock(low)) {
        figures.ntWindowNs = Math.max(figures.ntWindowNs, 0) + toNs(performance.now() - ntSince);
        ntSince = -1;
      }
    },
    notStored() {
      if (isEntryValid) invalidSince = ntSince = -1;
    },
    end() {
      if (timesFlush) figures.windowNs = figures.ntWindowNs = -1;
    },
  };
}
