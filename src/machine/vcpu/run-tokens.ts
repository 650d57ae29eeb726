/**
 * Run tokens: how vCPUs beyond the cores take turns. Left to the kernel, a preempted vCPU that is
 * online makes every DSB wait for a scheduler tick (measured: 8 vCPUs on 2 cores, window p50 of 107
 * µs instead of 1.4); so, like a host, the harness runs only as many as there are cores beside the
 * hypervisor, and a vCPU without a token is offline.
 *
 * A ticket lock with `tokens` places: first come, first served. `tokenNext` hands out tickets,
 * `tokenServed` counts releases; ticket t may run once t - served < tokens. Both only grow, and
 * wrap like int32.
 */
import { waitForChange } from '#sync';
import type { Arena } from '../arena.ts';
import { CONTROL } from '../layout.ts';

export interface RunTokens {
  /** Fewer places than vCPUs: turns must be taken. */
  readonly scheduled: boolean;
  /**
   * Blocks until it is this vCPU's turn. False: the round is over or the run is stopped, and no
   * place is held.
   */
  acquire(round: number): boolean;
  /** Is somebody waiting for a place? */
  wanted(): boolean;
  release(): void;
}

export function createRunTokens(arena: Arena, tokens: number): RunTokens {
  const { i32, layout } = arena;
  const scheduled = tokens < layout.config.vcpus;
  return {
    scheduled,
    acquire(round) {
      if (!scheduled) return true;
      const ticket = Atomics.add(i32, CONTROL.tokenNext, 1);
      for (;;) {
        const served = Atomics.load(i32, CONTROL.tokenServed);
        if (((ticket - served) | 0) < tokens) return true;
        if (Atomics.load(i32, CONTROL.stop) !== 0 || Atomics.load(i32, CONTROL.roundEnd) >= round) {
          // The ticket must still be served, in order, or everybody behind it would wait for ever.
          awaitTurnAndRelease(ticket);
          return false;
        }
        // No spin: there is no core to spin on. The end of the round wakes sleepers too (hypervisor
        // notifies).
        waitForChange(i32, CONTROL.tokenServed, served, 0, 5);
      }
    },
    wanted: () => {
      const ahead =
        (Atomics.load(i32, CONTROL.tokenNext) - Atomics.load(i32, CONTROL.tokenServed)) | 0;
      return ahead > tokens;
    },
    release() {
      if (!scheduled) return;
      Atomics.add(i32, CONTROL.tokenServed, 1);
      Atomics.notify(i32, CONTROL.tokenServed);
    },
  };

  /** At the end of a round all holders release soon, so this drains in order. */
  function awaitTurnAndRelease(ticket: number): void {
    for (;;) {
      const served = Atomics.load(i32, CONTROL.tokenServed);
      if (((ticket - served) | 0) < tokens || Atomics.load(i32, CONTROL.stop) !== 0) break;
      waitForChange(i32, CONTROL.tokenServed, served, 0, 5);
    }
    Atomics.add(i32, CONTROL.tokenServed, 1);
    Atomics.notify(i32, CONTROL.tokenServed);
  }
}
