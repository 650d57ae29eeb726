/**
 * The VM's mmu_lock in the hands of a vCPU that handles a fault. Held for reading it is also a read-side
 * section: what is unlinked meanwhile is not freed before the lock is given back.
 */
import { RwLock } from '#sync';
import type { Grace } from '../../../pgtable/grace.ts';
import type { Arena } from '../../arena.ts';
import { LAST_RESORT_MS } from '../../last-resort.ts';
import { CONTROL, VCPU } from '../../layout.ts';
import type { FaultHandlerOptions } from './handler.ts';

/** `shared`: for reading. `relaxes`: the fault under way may give a permission back. */
export interface MmuLock {
  /** False: the run is being stopped, and nothing is held. */
  acquire: (shared: boolean, relaxes: boolean) => boolean;
  release: (shared: boolean, relaxes: boolean) => void;
}

export function createMmuLock(
  arena: Arena,
  grace: Grace,
  { vcpu, spins }: FaultHandlerOptions,
): MmuLock {
  const { i32, layout } = arena;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const relaxingW = layout.vcpuW + vcpu * VCPU.words + VCPU.relaxing;

  /**
   * Whoever looks at what a page held before its permission came back must know that it is about to.
   * With the lock held: a vCPU that still waits for it has given nothing.
   */
  function noteRelaxing(): void {
    Atomics.add(i32, relaxingW, 1);
  }

  return {
    acquire(shared, relaxes) {
      const taken = shared
        ? RwLock.readLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop)
        : RwLock.writeLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop);
      if (taken === 'timeout') {
        throw new Error(`vCPU ${vcpu} did not get the mmu_lock in ${LAST_RESORT_MS} ms`);
      }
      if (taken !== 'acquired') return false;
      if (relaxes) noteRelaxing();
      if (shared) grace.enter();
      return true;
    },
    release(shared, relaxes) {
      if (relaxes) noteRelaxing();
      if (shared) grace.exit();
      if (shared) RwLock.readUnlock(lock);
      else RwLock.writeUnlock(lock);
    },
  };
}
