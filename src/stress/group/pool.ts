/**
 * The one place that knows the thread pool. A task is one thread's part in one group; all tasks of a
 * group must run at once, so each has a thread.
 *
 * Every group gets new threads, where it is not said otherwise. V8 compiles the vCPU's loop for the one
 * closure it was made as, with addresses and knobs as constants in the code, until the same source is
 * closed over a second time in the thread: from then on an access costs 2.5 to 5 times as much
 * (`bench/second-vcpu.bench.ts`).
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { ownModule } from '../../package/root.ts';
import { SEMI_SPACE_MB } from '../process/collections.ts';
import { type FillBounds, fillCompileCache } from '../process/compile-cache.ts';
import { threadsOf } from '../../machine/layout.ts';
import type { SecondRunResult } from '../thread/second-run.ts';
import type { GroupPlan } from '../plan/group.ts';
import type { HypervisorRunResult } from '../thread/hypervisor-run.ts';
import type { TaskResult } from '../thread/task-result.ts';
import { setFlagsOnce } from '../process/v8-flags.ts';
import type { VcpuRunResult } from '../thread/vcpu-run.ts';

export interface GroupTasks {
  readonly hypervisor: Promise<TaskResult<HypervisorRunResult>>;
  readonly vcpus: readonly Promise<TaskResult<VcpuRunResult>>[];
  /** Null: the plan has no second hypervisor. */
  readonly second: Promise<TaskResult<SecondRunResult>> | null;
  /** These threads have run another group before. */
  readonly areKept: boolean;
  /** All tasks have settled and their threads are gone, or kept. */
  readonly ended: Promise<void>;
}

export interface ThreadPool {
  /**
   * Starts all threads of a group. Aborting the signal ends threads that do not end by themselves.
   */
  start(plan: GroupPlan, signal: AbortSignal): GroupTasks;
  destroy(): Promise<void>;
}

const workerFile = (name: string): string =>
  fileURLToPath(ownModule(`../../../workers/${name}`, import.meta.url));
const HYPERVISOR = workerFile('hypervisor');
const VCPU = workerFile('vcpu');
const SECOND = workerFile('second');
/** Threads import these where they need them (load-protocol.ts). */
const ON_DEMAND = [
  'mutants/control',
  'mutants/load',
  'mutants/index',
  'loaders/index',
  'sequence/index',
].map((file) => ownModule(`../../${file}`, import.meta.url).href);

/** Does a thread of this group import a file of the user's? */
const hasFiles = ({ items, against }: GroupPlan): boolean =>
  [against, ...items.flatMap(({ protocol, faults }) => [protocol, faults])].some(
    (source) => source?.from === 'file',
  );

export interface PoolOptions extends FillBounds {
  /**
   * Asked when a group has ended well: are its threads to run the next one of as many? Where others have
   * the CPUs a start takes longer than rounds. No time of such a group may be shown (see above).
   */
  readonly keepsThreads?: () => boolean;
}

/**
 * `modules`: URLs of what threads import beside their own: protocols of the user. Where they are
 * compiled beside, groups without such modules start meanwhile, and are disturbed.
 */
export async function createThreadPool(
  modules: readonly string[] = [],
  { keepsThreads = () => false, ...bounds }: PoolOptions = {},
): Promise<ThreadPool> {
  setFlagsOnce();
  // Piscina requires the module of a task, or tries to.
  const enough = new AbortController();
  const signals = [enough.signal, ...(bounds.signal === undefined ? [] : [bounds.signal])];
  const cache = await fillCompileCache([HYPERVISOR, SECOND, VCPU, ...ON_DEMAND, ...modules], {
    ...bounds,
    signal: AbortSignal.any(signals),
  });
  const open = new Set<Piscina>();
  /** Those that have run a group and are kept, by how many they are. */
  const kept = new Map<number, Piscina>();

  function keptThreads(count: number): Piscina | null {
    const known = kept.get(count) ?? null;
    kept.delete(count);
    return known;
  }

  function newThreads(count: number): Piscina {
    const pool = new Piscina({
      minThreads: count,
      maxThreads: count,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'sync',
      env: cache.env,
      resourceLimits: { maxYoungGenerationSizeMb: 3 * SEMI_SPACE_MB },
    });
    open.add(pool);
    return pool;
  }

  async function close(pool: Piscina): Promise<void> {
    open.delete(pool);
    await pool.destroy();
  }

  return {
    start(plan, signal) {
      const { vcpus } = plan.arena.config;
      const count = threadsOf(plan.arena.config);
      const known = keptThreads(count);
      const pool = known ?? newThreads(count);
      // No times are taken, and beside so many others vCPUs that never sleep are what takes long.
      const task: GroupPlan = known === null ? plan : { ...plan, naps: true };
      const mayRun = hasFiles(plan)
        ? Promise.race([cache.filled, aborted(signal)])
        : Promise.resolve();

      /**
       * A worker that exits, runs out of memory or is aborted rejects its own task only: the
       * rejection becomes a result.
       */
      const run = <T>(file: string, task: object): Promise<TaskResult<T>> =>
        mayRun
          .then(() => pool.run(task, { filename: file, signal }))
          .catch((error: unknown) => {
            const message = error instanceof Error ? error.message : String(error);
            return { ok: false, message, stack: message };
          });

      const hypervisor = run<HypervisorRunResult>(HYPERVISOR, { plan: task });
      const vcpuTasks = Array.from({ length: vcpus }, (_, vcpu) =>
        run<VcpuRunResult>(VCPU, { plan: task, vcpu }),
      );
      const second =
        plan.against === undefined ? null : run<SecondRunResult>(SECOND, { plan: task });
      const all = Promise.all([hypervisor, second, ...vcpuTasks]);
      const ended = async (): Promise<void> => {
        const results = await all;
        const isWell = !signal.aborted && results.every((result) => result?.ok !== false);
        if (isWell && !kept.has(count) && keepsThreads()) kept.set(count, pool);
        else await close(pool);
      };
      const areKept = known !== null;
      return { hypervisor, vcpus: vcpuTasks, second, areKept, ended: ended() };
    },
    destroy: async () => {
      enough.abort();
      await cache.filled;
      await Promise.all([...open].map(close));
      cache.remove();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
