/**
 * Until as many vCPUs as may run at once are in the guest: a thread that is still waking up from the
 * barrier would turn a short round into one without guests. Bounded: a vCPU may lose its CPU right
 * here. Where entries are raced the first TLBI waits for the vCPU, which may well be out.
 */
import type { Arena } from '../../machine/arena.ts';
import { CONTROL, VCPU } from '../../machine/layout.ts';
import type { GroupPlan } from '../plan/group.ts';

const GUESTS_TIMEOUT_MS = 50;

export function awaitGuests({ i32, layout }: Arena, plan: GroupPlan): void {
  if (plan.racesEntry) return;
  const { vcpus } = layout.config;
  const expected = Math.min(plan.tokens, vcpus);
  const deadline = performance.now() + GUESTS_TIMEOUT_MS;
  for (let spin = 0; ; spin++) {
    let online = 0;
    for (let v = 0; v < vcpus; v++) {
      online += Atomics.load(i32, layout.vcpuW + v * VCPU.words + VCPU.mode);
    }
    if (online >= expected) return;
    if (Atomics.load(i32, CONTROL.stop) !== 0 || performance.now() > deadline) return;
    if (spin > plan.spins) Atomics.wait(i32, CONTROL.stop, 0, 0.05);
  }
}
