/** The doctor's own measurements: what they can tell apart, not how fast this machine is. */
import { describe, expect, test } from 'vitest';
import { speedOf } from '../../src/doctor/access-speed.ts';
import { leastStep } from '../../src/doctor/clock.ts';
import { lastCpu } from '../../src/doctor/pin-thread.ts';
import { probeOrdering, tryPinning } from '../../src/doctor/threads.ts';

describe('the speed of a loop that is being compiled', () => {
  test('settles, and says after how many accesses', () => {
    const chunks = Float64Array.from({ length: 100 }, (_, i) => (i < 7 ? 200 : i < 12 ? 30 : 5));
    expect(speedOf(chunks, 1000)).toEqual({ settledNs: 5, warmUpAccesses: 12_000 });
  });

  test('a chunk that lost its CPU is not its speed', () => {
    const chunks = Float64Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? 4000 : 5));
    expect(speedOf(chunks, 10)).toEqual({ settledNs: 5, warmUpAccesses: 10 });
  });
});

describe('the least step of a clock', () => {
  const clock = (period: number, cost: number): (() => number) => {
    let ns = 0;
    return () => Math.floor((ns += cost) / period) * period;
  };

  test('is the period of a coarse one, and the reading of a fine one', () => {
    expect(leastStep(clock(1000, 30))).toBe(1000);
    expect(leastStep(clock(1, 45))).toBe(45);
  });
});

test('the CPU a thread ran on last, whatever the thread is called', () => {
  const fields = Array.from({ length: 49 }, (_, i) => String(i + 4)).join(' ');
  expect(lastCpu(`123 (node) S ${fields}`)).toBe(39);
  expect(lastCpu(`123 (a) b) c) S ${fields}`)).toBe(39);
});

test('two threads meet, and Atomics are sequentially consistent', async () => {
  const probe = await probeOrdering(20);
  expect(probe.storeBufferingAtomics.seen).toBe(0);
  for (const { seen, trials } of Object.values(probe)) {
    expect(trials).toBeGreaterThan(0);
    expect(seen).toBeLessThanOrEqual(trials);
  }
});

test('CPUs that are not there cannot be pinned to', async () => {
  expect(await tryPinning([4000])).toEqual({ verified: [], failed: [4000], why: null });
  expect((await tryPinning(null)).why).toContain('/proc/self/status');
});
