/** The second hypervisor's worker: one task is one group. Everything it does is in src/stress. */
import { secondThread } from '../src/machine/layout.ts';
import { runSecond, type SecondRunResult } from '../src/stress/thread/second-run.ts';
import type { GroupPlan } from '../src/stress/plan/group.ts';
import { guarded, type TaskResult } from '../src/stress/thread/task-result.ts';

export default function second(task: { plan: GroupPlan }): Promise<TaskResult<SecondRunResult>> {
  const { plan } = task;
  return guarded(plan, secondThread(plan.arena.config), () => runSecond(plan));
}
