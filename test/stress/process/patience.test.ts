/** Threads that want a CPU and get none do not hang. */
import { describe, expect, it } from 'vitest';
import { createPatience, type Look } from '../../../src/stress/process/patience.ts';

/** A patience whose clocks the test moves. */
function watched() {
  const now = { nowMs: 0, cpuMs: 0, wanted: false as boolean | null };
  const patience = createPatience((): Look => ({ ...now }));
  return {
    patience,
    /** Time passes; of it the process had a CPU for `cpuMs`. */
    pass(ms: number, wanted: boolean | null, cpuMs: number, progress = 'still'): boolean {
      now.nowMs += ms;
      now.cpuMs += cpuMs;
      now.wanted = wanted;
      return patience.isOver(progress, 1000);
    },
  };
}

it.each([
  ['not sooner than it may', 60_000, 1],
  ['each time where that costs nothing', 0, 3],
])('looks at all threads again %s', (_name, lookMsMin, looks) => {
  let seen = 0;
  const look = (): Look => ({ nowMs: performance.now(), cpuMs: 0, wanted: (seen++, false) });
  const patience = createPatience(look, lookMsMin);
  const isOver = (): boolean => patience.isOver('still', 1000);
  expect([isOver(), isOver(), isOver()]).toEqual([false, false, false]);
  expect(seen).toBe(looks);
});

describe('patience', () => {
  it('ends when all threads have slept for that long', () => {
    const w = watched();
    expect(w.pass(10, false, 0)).toBe(false);
    expect(w.pass(900, false, 0)).toBe(false);
    expect(w.pass(101, false, 0)).toBe(true);
    expect(w.patience.sinceProgressMs()).toBe(1001);
  });

  it('does not end while a thread waits for a CPU, however long that takes', () => {
    const w = watched();
    for (let n = 0; n < 100; n++) expect(w.pass(1000, true, 5)).toBe(false);
  });

  it('ends when a thread that runs has had the CPU for that long: it loops', () => {
    const w = watched();
    w.pass(1, true, 0);
    expect(w.pass(6000, true, 900)).toBe(false);
    expect(w.pass(6000, true, 200)).toBe(true);
  });

  it('counts no more than has passed where several threads run', () => {
    const w = watched();
    w.pass(1, true, 0);
    expect(w.pass(900, true, 3600)).toBe(false);
  });

  it('takes time as it passes where nothing is known of threads', () => {
    const w = watched();
    w.pass(1, null, 0);
    expect(w.pass(1001, null, 0)).toBe(true);
  });

  it('begins anew with each progress', () => {
    const w = watched();
    w.pass(900, false, 0, 'a');
    expect(w.pass(900, false, 0, 'b')).toBe(false);
    expect(w.pass(900, false, 0, 'b')).toBe(false);
    expect(w.pass(101, false, 0, 'b')).toBe(true);
  });
});
