/** What a thread pool tells threads that have run another group before. */
import { expect, test, vi } from 'vitest';
import { createThreadPool } from '../../../src/stress/group/pool.ts';
import type { GroupPlan } from '../../../src/stress/plan/group.ts';

const { tasks } = vi.hoisted(() => ({ tasks: [] as { plan: GroupPlan }[] }));

vi.mock('piscina', () => ({
  Piscina: class {
    run(task: { plan: GroupPlan }) {
      tasks.push(task);
      return Promise.resolve({ ok: true, value: null });
    }
    destroy() {
      return Promise.resolve();
    }
  },
}));
vi.mock('../../../src/stress/process/compile-cache.ts', () => ({
  fillCompileCache: () => Promise.resolve({ env: {}, filled: Promise.resolve(), remove() {} }),
}));

test('their vCPUs sleep in between; those of new threads never do', async () => {
  const pool = await createThreadPool([], { keepsThreads: () => true });
  const plan = { arena: { config: { vcpus: 1 } }, items: [] } as unknown as GroupPlan;
  const never = new AbortController().signal;
  await pool.start(plan, never).ended;
  await pool.start(plan, never).ended;
  await pool.destroy();
  expect(tasks.map(({ plan: { naps } }) => naps)).toEqual([undefined, undefined, true, true]);
});
