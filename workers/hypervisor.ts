/** The hypervisor's worker: one task is one group. Everything it does is in src/stress. */
import { type HypervisorRunResult, runHypervisor } from '../src/stress/thread/hypervisor-run.ts';
import type { GroupPlan } from '../src/stress/plan/group.ts';
import { guarded, type TaskResult } from '../src/stress/thread/task-result.ts';

export default function hypervisor(task: {
  plan: GroupPlan;
}): Promise<TaskResult<HypervisorRunResult>> {
  return guarded(task.plan, 0, () => runHypervisor(task.plan));
}
