/** The barrier before and after each round, as one thread sees it. */
import { Barrier, StoppableBarrier } from '#sync';
import type { Arena } from '../../machine/arena.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { CONTROL } from '../../machine/layout.ts';
import type { GroupPlan } from '../plan/group.ts';

/** Returns a wait that is true once all threads have arrived, and false if the run is being stopped. */
export function roundBarrier(arena: Arena, plan: GroupPlan, who: string): () => boolean {
  const { i32 } = arena;
  const barrier = Barrier.attach(i32, CONTROL.barrier);
  return () => {
    const result = StoppableBarrier.wait(barrier, plan.spins, LAST_RESORT_MS, i32, CONTROL.stop);
    if (result === 'timeout') throw new Error(`${who} waited ${LAST_RESORT_MS} ms at the barrier`);
    return result !== 'stopped';
  };
}
