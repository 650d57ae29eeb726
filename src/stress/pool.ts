/**
 * The one place that knows the thread pool. One pool serves a campaign; a task is one thread's part
 * in one group. All tasks of a group must run at once, so the pool has as many threads as the
 * largest group needs and each takes one task.
 */
import { setFlagsFromString } from 'node:v8';
import { Piscina } from 'piscina';
import { assert } from '../arch/assert.ts';
import type { GroupPlan } from './group.ts';
import type { HypervisorRunResult } from './hypervisor-run.ts';
import type { TaskResult } from './task-result.ts';
import type { VcpuRunResult } from './vcpu-run.ts';

export interface GroupTasks {
  readonly hypervisor: Promise<TaskResult<HypervisorRunResult>>;
  readonly vcpus: readonly Promise<TaskResult<VcpuRunResult>>[];
}

export interface ThreadPool {
  /**
   * Starts all threads of a group. Aborting the signal ends threads that do not end by themselves.
   */
  start(plan: GroupPlan, signal: AbortSignal): GroupTasks;
  destroy(): Promise<void>;
}

const WORKERS = new URL('../../workers/', import.meta.url);
/**
 * Semi-space of a worker's heap, from the start: V8 begins with 1 MiB and collects every few
 * milliseconds of a busy hypervisor, each time in the middle of somebody's window. A flag, because
 * resource limits set only the maximum; it holds for threads made after it.
 */
const SEMI_SPACE_MB = 64;

export function createThreadPool(threads: number): ThreadPool {
  setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MB}`);
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MB}`);
  const pool = new Piscina({
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    idleTimeout: 0,
    atomics: 'sync',
    resourceLimits: { maxYoungGenerationSizeMb: 3 * SEMI_SPACE_MB },
  });

  /**
   * A worker that exits, runs out of memory or is aborted rejects its own task only: the rejection
   * becomes a result.
   */
  function run<T>(file: string, task: object, signal: AbortSignal): Promise<TaskResult<T>> {
    const filename = new URL(file, WORKERS).href;
    return pool.run(task, { filename, signal }).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, message, stack: message };
    });
  }

  return {
    start(plan, signal) {
      const { vcpus } = plan.arena.config;
      assert(vcpus + 1 <= threads, `${vcpus + 1} threads do not fit a pool of ${threads}`);
      return {
        hypervisor: run('hypervisor.ts', { plan }, signal),
        vcpus: Array.from({ length: vcpus }, (_, vcpu) => run('vcpu.ts', { plan, vcpu }, signal)),
      };
    },
    destroy: () => pool.destroy(),
  };
}
