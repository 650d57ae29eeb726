/**
 * The host's side of a dirty ring, on one thread: when it is flushed, who is waited for, and which page
 * comes to the log with which answer.
 */
import { expect, test } from 'vitest';
import { RwLock } from '#sync';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import { createDirtyLog, type DirtyLog } from '../../src/machine/dirty/dirty-log.ts';
import {
  createRingSync,
  createVcpuRing,
  type RingSync,
  type VcpuRing,
} from '../../src/machine/dirty/dirty-rings.ts';
import { CONTROL, LOGGING, VCPU } from '../../src/machine/layout.ts';
import { createRecorder } from '../../src/machine/recorder.ts';
import { Stopped } from '../../src/machine/tlb/shootdown.ts';
import type { MachineBug } from '../../src/port/index.ts';

interface Host {
  readonly arena: Arena;
  readonly log: DirtyLog;
  readonly ring: VcpuRing;
  readonly sync: RingSync;
  /** What the interrupt of a kick leads to, on this one thread. */
  onKick: () => void;
  /** A store made this page dirty. */
  dirty(page: number): void;
  /** What user space is answered: the pages in the log, which is empty afterwards. */
  answer(): number[];
}

function hostOf(bug: MachineBug | null = null): Host {
  const config = { granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 1 } as const;
  const arena = createArena({ ...config, hafdbs: true, hdbss: true });
  arena.i32[CONTROL.logging] = LOGGING.on;
  const log = createDirtyLog(arena);
  const options = { vcpu: 0, spins: 0, bug };
  const host: Host = {
    arena,
    log,
    ring: createVcpuRing(arena, log, createRecorder(arena, 1), options),
    sync: createRingSync(arena, { kick: () => host.onKick() }),
    onKick: () => {},
    dirty: (page) => expect(host.ring.hardware.append(page, 3)).toBe(true),
    answer: () =>
      Array.from({ length: log.words }, (_, word) => [word, log.take(word)] as const).flatMap(
        ([word, bits]) =>
          Array.from({ length: 32 }, (_, bit) => bit)
            .filter((bit) => ((bits >>> bit) & 1) === 1)
            .map((bit) => word * 32 + bit),
      ),
  };
  host.ring.load();
  return host;
}

/** Out of the guest and in again, not preempted on the way. */
function exitAndEnter({ ring }: Host): void {
  ring.exited();
  ring.serve();
}

/** As many exits as it takes for one to be preempted. */
function preempt({ ring }: Host): void {
  for (let exits = 0; exits < 16; exits++) ring.exited();
}

test('a flush moves everything to the log, the entry that was under way as well', () => {
  const host = hostOf();
  for (const page of [3, 40, 511]) host.dirty(page);
  host.ring.flush();
  expect(host.answer()).toEqual([3, 40, 511]);
  host.ring.flush();
  expect([host.answer(), host.ring.hardware.index()]).toEqual([[], 0]);
});

test('a flush holds the lock and lets go of it', () => {
  const host = hostOf();
  host.dirty(1);
  const lock = RwLock.attach(host.arena.i32, CONTROL.mmuLock);
  expect(RwLock.readLock(lock, 0, 0)).toBe('acquired');
  host.arena.i32[CONTROL.stop] = 1;
  host.ring.flush();
  expect([host.answer(), host.ring.hardware.index()], 'the run was stopped first').toEqual([[], 1]);
  host.arena.i32[CONTROL.stop] = 0;
  RwLock.readUnlock(lock);
  host.ring.flush();
  expect([host.answer(), lock[0]]).toEqual([[1], 0]);
});

test('a vCPU that is put has flushed, one that only left the guest has not', () => {
  const host = hostOf();
  host.dirty(5);
  exitAndEnter(host);
  expect(host.answer()).toEqual([]);
  host.ring.put();
  expect(host.answer()).toEqual([5]);
});

test('one that is preempted on its way out has, too', () => {
  const host = hostOf();
  host.dirty(5);
  preempt(host);
  expect(host.answer()).toEqual([5]);
});

test('after a kick alone the answer lacks what was dirty before; the next one has it', () => {
  const host = hostOf();
  host.dirty(5);
  host.sync.kick();
  expect(host.answer(), 'the vCPU has not come to it yet').toEqual([]);
  expect(host.ring.isRequested()).toBe(true);
  host.dirty(6);
  exitAndEnter(host);
  expect(host.answer()).toEqual([5, 6]);
  expect(host.ring.isRequested()).toBe(false);
});

test('a kick that is waited for returns when the vCPU has flushed', () => {
  const host = hostOf();
  host.dirty(5);
  host.onKick = () => exitAndEnter(host);
  host.sync.kickAndWait();
  expect(host.answer()).toEqual([5]);
});

test('and not before, though the vCPU has taken the interrupt and left the guest', () => {
  const host = hostOf();
  host.dirty(5);
  host.onKick = () => host.ring.exited();
  host.arena.i32[CONTROL.stop] = 1;
  expect(() => host.sync.kickAndWait()).toThrow(Stopped);
  host.sync.kick();
});

test('nor for a vCPU that has answered an earlier request', () => {
  const host = hostOf();
  host.onKick = () => exitAndEnter(host);
  host.sync.kickAndWait();
  host.onKick = () => {};
  host.arena.i32[CONTROL.stop] = 1;
  expect(() => host.sync.kickAndWait()).toThrow(Stopped);
});

test('nobody waits for a ring that is not loaded: put has flushed it', () => {
  const host = hostOf();
  host.dirty(5);
  host.ring.put();
  host.sync.kickAndWait();
  expect(host.answer()).toEqual([5]);
  host.ring.load();
  expect(host.arena.i32[host.arena.layout.vcpuW + VCPU.ringLoaded]).toBe(1);
  // It has not forgotten the request: before it enters it flushes, with nothing to flush.
  expect(host.ring.isRequested()).toBe(true);
});

test('seeded: an index that nobody saves is forgotten by a vCPU that is preempted, not by others', () => {
  const host = hostOf('ring-index-forgotten');
  host.dirty(5);
  exitAndEnter(host);
  expect(host.answer(), 'each exit flushes').toEqual([5]);
  for (let exits = 0; exits < 14; exits++) host.ring.exited();
  host.dirty(6);
  host.ring.exited();
  host.ring.put();
  expect(host.answer()).toEqual([]);
});

test('seeded: without the DSB what is under way is missed for good', () => {
  const host = hostOf('ring-without-dsb');
  host.dirty(5);
  host.dirty(6);
  host.ring.flush();
  expect(host.answer()).toEqual([5]);
  host.ring.put();
  expect(host.answer()).toEqual([]);
});
