/**
 * What a worker's task returns. Errors lose their own properties between threads, so a failure
 * crosses as data; and whatever goes wrong in one thread, the stop word is set before it leaves, so
 * that nobody waits for it.
 */
import { raiseStop } from '#sync';
import { CONTROL } from '../../machine/layout.ts';
import type { GroupPlan } from '../plan/group.ts';
import { placeThisThread } from '../process/pinning.ts';
import { ProtocolFailure } from '../../port/protocol-failure.ts';

export type TaskResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly stack: string };

/** `thread` 0 is the hypervisor, vCPU v is v + 1. */
export async function guarded<T>(
  plan: GroupPlan,
  thread: number,
  run: () => Promise<T>,
): Promise<TaskResult<T>> {
  try {
    placeThisThread(plan.pin, thread);
    return { ok: true, value: await run() };
  } catch (error) {
    raiseStop(new Int32Array(plan.arena.memory.buffer), CONTROL.stop);
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return {
      ok: false,
      message,
      stack: error instanceof ProtocolFailure ? message : (stack ?? message),
    };
  }
}
