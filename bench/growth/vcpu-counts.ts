/** How many vCPUs growths go up to, and how many of them this machine runs at once. */
import { availableParallelism } from 'node:os';
import { parallelVcpus } from '../../src/stress/plan/portfolio.ts';

/** Sixteen only where some of them run at once. */
export const VCPU_COUNTS: readonly number[] = [
  1,
  2,
  4,
  8,
  ...(availableParallelism() > 8 ? [16] : []),
];

export const tokensFor = (vcpus: number): number => Math.min(vcpus, parallelVcpus());

/** One remark if some of these counts are more than there are cores. */
export function turnsText(): readonly string[] {
  const atOnce = parallelVcpus();
  const scheduled = VCPU_COUNTS.filter((vcpus) => vcpus > atOnce);
  if (scheduled.length === 0) return [];
  return [
    `with ${scheduled.join(', ')} vCPUs ${atOnce} run at once and the others wait their turn`,
  ];
}
