/** What a second VM did, from the sums over all rounds: pure. */
import type { StressRun } from '../result/stress.ts';
import { ROW } from './results-area.ts';

/** Empty where there is no second VM, or it never ran. */
export function neighbourOf(sum: (field: number) => number): Pick<StressRun, 'neighbour'> {
  const accesses = sum(ROW.neighbourAccesses);
  if (accesses === 0) return {};
  return {
    neighbour: { accesses, refills: sum(ROW.neighbourWalks), rollovers: sum(ROW.rollovers) },
  };
}
