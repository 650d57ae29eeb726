/** What the clock can tell apart, and what asking it costs: every window has two readings in it. */
import type { ClockFacts } from '../result/doctor.ts';

const STEPS = 20_000;
const READS = 50_000;
const LAPS = 7;

export function measureClock(): Omit<ClockFacts, 'source'> {
  return {
    stepNs: leastStep(() => performance.now() * 1e6),
    readNs: costOf(() => performance.now()),
    hrtimeReadNs: costOf(() => Number(process.hrtime.bigint() & 0xffffn)),
  };
}

/**
 * The least step above zero between neighbouring readings in ns: of a coarse clock its period, of a
 * fine one the cost of a reading.
 */
export function leastStep(now: () => number): number {
  let least = Number.POSITIVE_INFINITY;
  let last = now();
  for (let i = 0; i < STEPS; i++) {
    const next = now();
    if (next > last) least = Math.min(least, next - last);
    last = next;
  }
  return least;
}

/** The least of several laps, so that a lap that lost its CPU, or ran uncompiled, does not count. */
function costOf(read: () => number): number {
  let least = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let lap = 0; lap < LAPS; lap++) {
    const startMs = performance.now();
    for (let i = 0; i < READS; i++) sum += read();
    least = Math.min(least, ((performance.now() - startMs) * 1e6) / READS);
  }
  // Looked at, so that the readings are not dead code.
  return Number.isFinite(sum) ? least : Number.NaN;
}
