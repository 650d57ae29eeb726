/**
 * A vCPU's worker: one task is one vCPU through one group. Everything it does is in src/stress and
 * src/machine.
 */
import type { GroupPlan } from '../src/stress/plan/group.ts';
import { guarded, type TaskResult } from '../src/stress/thread/task-result.ts';
import { runVcpu, type VcpuRunResult } from '../src/stress/thread/vcpu-run.ts';

export default function vcpu(task: {
  plan: GroupPlan;
  vcpu: number;
}): Promise<TaskResult<VcpuRunResult>> {
  return guarded(task.plan, task.vcpu + 1, () => runVcpu(task.plan, task.vcpu));
}
