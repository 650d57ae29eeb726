/** A vCPU that enters and a host that publishes a TLBI meet, or go on without each other. */
import { describe, expect, it, vi } from 'vitest';
import { RwLock } from '#sync';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import { createEntryRace } from '../../src/machine/vcpu/entry-race.ts';
import { CONTROL } from '../../src/machine/layout.ts';
import type { GuestData } from './fixtures/entering-guest.ts';
import { startThread } from './threads.ts';

/** Round 1 runs. */
function arenaOf(vcpus = 1): Arena {
  const arena = createArena({ granule: '4k', level: 2, blocks: 1, vcpus, transitionsMax: 1 });
  arena.i32[CONTROL.round] = 1;
  return arena;
}

const words = ({ i32 }: Arena) => ({
  arrived: i32[CONTROL.meetArrived],
  gone: i32[CONTROL.meetGone],
});

describe('one that comes alone', () => {
  it('goes on after its bound, and has said that it was there', () => {
    const arena = arenaOf();
    createEntryRace(arena).guest();
    expect(words(arena)).toEqual({ arrived: 1, gone: 0 });
    const other = arenaOf();
    createEntryRace(other).host();
    expect(words(other)).toEqual({ arrived: 0, gone: 0 });
  });

  it('is answered by a host that comes later, once', () => {
    const arena = arenaOf();
    const race = createEntryRace(arena);
    race.guest();
    race.host();
    expect(words(arena)).toEqual({ arrived: 1, gone: 1 });
    race.host();
    expect(words(arena)).toEqual({ arrived: 1, gone: 1 });
  });
});

describe('who waits in vain', () => {
  /** Looks at the clock tell who has slept. */
  function clockReads(wait: () => void): number {
    const now = vi.spyOn(performance, 'now');
    try {
      wait();
      return now.mock.calls.length;
    } finally {
      now.mockRestore();
    }
  }

  it('a host does not sleep for a vCPU that waits for the lock', () => {
    const arena = arenaOf();
    const lock = RwLock.attach(arena.i32, CONTROL.mmuLock);
    expect(clockReads(() => createEntryRace(arena).host())).toBeGreaterThan(0);
    expect(RwLock.writeLock(lock)).toBe('acquired');
    // The head of the queue, as a faulting vCPU is.
    lock[1] = 1;
    expect(RwLock.hasQueue(lock)).toBe(true);
    expect(clockReads(() => createEntryRace(arena).host())).toBe(0);
  });

  it('a vCPU does not sleep when the round is over, or the run is stopped', () => {
    const over = arenaOf();
    over.i32[CONTROL.roundEnd] = 1;
    expect(clockReads(() => createEntryRace(over).guest())).toBe(0);
    const stopped = arenaOf();
    stopped.i32[CONTROL.stop] = 1;
    expect(clockReads(() => createEntryRace(stopped).guest())).toBe(0);
  });

  it('nobody waits where there is more than one vCPU', () => {
    const arena = arenaOf(2);
    expect(clockReads(() => createEntryRace(arena).host())).toBe(0);
    expect(words(arena)).toEqual({ arrived: 0, gone: 0 });
  });
});

it('two threads meet as often as they come', async () => {
  const arena = arenaOf();
  const meetings = 2000;
  const data: GuestData = { arena: arena.handle, meetings };
  const thread = startThread<number>('entering-guest', data);
  const race = createEntryRace(arena);
  while ((arena.i32[CONTROL.meetArrived] as number) < meetings) race.host();
  expect(await thread.result).toBe(meetings);
  // One that slept too long for the other is let go; most are not.
  expect(words(arena).gone).toBeLessThanOrEqual(meetings);
  expect(words(arena).gone).toBeGreaterThan(0);
  await thread.end();
});
