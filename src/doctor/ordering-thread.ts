/**
 * One thread of the ordering probes: two of them over one shared memory, meeting before each stride
 * of trials and never within one, because a meeting per trial would drain what is looked for.
 *
 *   store buffering   x[i] = 1; r0 = y[i]  beside  y[i] = 1; r1 = x[i]   both 0: not SC
 *   tearing           one 64-bit value stored as a whole (or as two halves), halves compared
 */
import { assert } from '../arch/assert.ts';
import type { Sighting } from '../result/doctor.ts';

const CELLS = 8192;
/** Of one 64-bit cell per stride: long beside the time in which the threads leave a meeting. */
const ACCESSES = 500_000;
/** One cell per line, so that a store misses and stands in the buffer for a while. */
const LINE_WORDS = 16;

/** Words of the first line: how often the threads have met, and if they shall once more. */
const MEET = 0;
const GO_ON = 1;
const SEEN = 2;
/** What should be seen is looked for this much longer: on a busy machine threads seldom meet. */
const PATIENCE = 10;
/** A thread that is early spins that long: one that must be woken up is late for the stride. */
const SPIN_MS = 3;
const SLEEP_MS = 1;
/** Words: the meeting, cells of x, of y, what each thread read, and one 64-bit cell. */
const AREA = {
  x: LINE_WORDS,
  y: LINE_WORDS * (1 + CELLS),
  read: LINE_WORDS * (1 + 2 * CELLS),
  wide: LINE_WORDS * (1 + 2 * CELLS) + 2 * CELLS,
  words: LINE_WORDS * (2 + 2 * CELLS) + 2 * CELLS,
} as const;

export const PROBE_BYTES = AREA.words * 4;

export interface ProbeTask {
  readonly buffer: SharedArrayBuffer;
  /** 0 or 1. */
  readonly thread: number;
  /** Of each of the four probes. */
  readonly probeMs: number;
  /** A thread whose partner does not come gives up, rather than spin for ever. */
  readonly timeoutMs: number;
}

/** Of store buffering thread 0 knows, of tearing the reader, thread 1. */
export interface ProbeCounts {
  readonly plain: Sighting;
  readonly atomic: Sighting;
  readonly torn: Sighting;
  readonly tornHalves: Sighting;
}

export function runProbe({ buffer, thread, probeMs, timeoutMs }: ProbeTask): ProbeCounts {
  const i32 = new Int32Array(buffer);
  const deadline = performance.now() + timeoutMs;
  let meetings = 0;

  /** Sequentially consistent, so every store before it is seen by whoever leaves it. */
  function meet(): void {
    meetings++;
    Atomics.add(i32, MEET, 1);
    Atomics.notify(i32, MEET);
    const since = performance.now();
    for (;;) {
      const met = Atomics.load(i32, MEET);
      if (met >= 2 * meetings) return;
      const now = performance.now();
      if (now > deadline) throw new Error('the other thread of the probe did not come');
      if (now > since + SPIN_MS) Atomics.wait(i32, MEET, met, SLEEP_MS);
    }
  }

  /**
   * Calls `stride`, of so many trials, on both threads; it returns how often the thread has seen what
   * is looked for. Thread 0 says how long: longer if that is `expected` and was not seen yet.
   */
  function repeat(trials: number, expected: boolean, stride: () => number): Sighting {
    const startMs = performance.now();
    const end = startMs + probeMs;
    const latest = startMs + (expected ? PATIENCE : 1) * probeMs;
    let strides = 0;
    let seen = 0;
    if (thread === 0) Atomics.store(i32, SEEN, 0);
    for (;;) {
      if (thread === 0) {
        const limit = Atomics.load(i32, SEEN) === 0 ? latest : end;
        Atomics.store(i32, GO_ON, performance.now() < limit ? 1 : 0);
      }
      meet();
      const goesOn = Atomics.load(i32, GO_ON) === 1;
      if (goesOn) {
        const more = stride();
        seen += more;
        if (more > 0) Atomics.store(i32, SEEN, 1);
      }
      // Before thread 0 may change its mind, and before anybody clears what the other still reads.
      meet();
      if (!goesOn) return { seen, trials: strides * trials };
      strides++;
    }
  }

  const own = thread === 0 ? AREA.x : AREA.y;
  const others = thread === 0 ? AREA.y : AREA.x;
  const ownRead = AREA.read + thread * CELLS;

  function stridePlain(): void {
    for (let i = 0; i < CELLS; i++) {
      i32[own + i * LINE_WORDS] = 1;
      i32[ownRead + i] = i32[others + i * LINE_WORDS] as number;
    }
  }

  function strideAtomic(): void {
    for (let i = 0; i < CELLS; i++) {
      Atomics.store(i32, own + i * LINE_WORDS, 1);
      i32[ownRead + i] = Atomics.load(i32, others + i * LINE_WORDS);
    }
  }

  /** How many trials ended with both threads having missed the other's store. */
  function bothMissed(expected: boolean, stride: () => void): Sighting {
    return repeat(CELLS, expected, () => {
      for (let i = 0; i < CELLS; i++) i32[own + i * LINE_WORDS] = 0;
      meet();
      stride();
      meet();
      if (thread !== 0) return 0;
      let seen = 0;
      for (let i = 0; i < CELLS; i++) {
        if (i32[AREA.read + i] === 0 && i32[AREA.read + CELLS + i] === 0) seen++;
      }
      return seen;
    });
  }

  assert(AREA.wide % 2 === 0, 'a 64-bit cell is aligned');
  const wide = new BigUint64Array(buffer, AREA.wide * 4, 1);
  const cell = new BigUint64Array(2);
  const halves = new Int32Array(cell.buffer);
  cell[1] = 0xffff_ffff_ffff_ffffn;

  function writeWhole(): void {
    for (let i = 0; i < ACCESSES; i++) wide[0] = cell[i & 1] as bigint;
  }

  function writeHalves(): void {
    for (let i = 0; i < ACCESSES; i++) {
      const half = -(i & 1);
      i32[AREA.wide] = half;
      i32[AREA.wide + 1] = half;
    }
  }

  const seen64 = new BigUint64Array(1);
  const seenHalves = new Int32Array(seen64.buffer);
  function readTorn(): number {
    let torn = 0;
    for (let i = 0; i < ACCESSES; i++) {
      seen64[0] = wide[0] as bigint;
      if (seenHalves[0] !== seenHalves[1]) torn++;
    }
    return torn;
  }

  function tornReads(expected: boolean, write: () => void): Sighting {
    return repeat(ACCESSES, expected, () => {
      if (thread === 1) return readTorn();
      write();
      return 0;
    });
  }

  assert(halves[2] === -1 && halves[0] === 0, 'the two values to be told apart');
  return {
    plain: bothMissed(true, stridePlain),
    atomic: bothMissed(false, strideAtomic),
    torn: tornReads(false, writeWhole),
    tornHalves: tornReads(true, writeHalves),
  };
}
