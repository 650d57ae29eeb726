/** What a vCPU's machine is made of, as its plan says. */
import { expect, test, vi } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import type { VcpuOptions } from '../../../src/machine/vcpu/vcpu.ts';
import bbmEarly from '../../../src/protocols/bbm-early.ts';
import { PLAIN_GROUP } from '../../../src/stress/plan/plain-group.ts';
import type { GroupPlan, PlanItem } from '../../../src/stress/plan/group.ts';
import { createVcpuMachine } from '../../../src/stress/thread/vcpu-machine.ts';
import { createTestMachine } from '../../machine/machine.ts';

const { made } = vi.hoisted(() => ({ made: [] as VcpuOptions[] }));

vi.mock('../../../src/machine/vcpu/vcpu.ts', async (original) => ({
  ...(await original<object>()),
  createVcpu: (_arena: unknown, options: VcpuOptions) => {
    made.push(options);
    return { tlbs: null };
  },
}));

test.each([undefined, true] as const)('a vCPU sleeps if its plan says so: %s', (naps) => {
  const { arena } = createTestMachine({ blocks: 1, vcpus: 1 });
  const item: PlanItem = {
    protocol: { from: 'built-in', name: 'bbm-early' },
    cpu: DEFAULT_CPU,
    bug: null,
  };
  const plan = {
    ...PLAIN_GROUP,
    ...{ arena, scenario: 'adjust-populated', items: [item], seed: 1, tokens: 1, spins: 0 },
    ...(naps === undefined ? {} : { naps }),
  } as unknown as GroupPlan;
  createVcpuMachine(arena, plan, item, 0, { protocols: [bbmEarly], serving: [null] });
  expect(made.at(-1)?.naps).toBe(naps === true);
});
