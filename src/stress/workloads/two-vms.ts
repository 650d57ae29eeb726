/**
 * What `adjust` does to one VM, beside a second one that only runs. At the start of each round the
 * second VM's VMID goes to a third, and back in the next.
 */
import { ROW } from '../results/results-area.ts';
import { createAdjust } from './adjust.ts';
import { createNeighbourHypervisor } from './neighbours.ts';
import type { Workbench } from './workbench.ts';
import { addFigure, type Workload } from './workload.ts';

export function createTwoVms(bench: Workbench): Workload {
  const adjust = createAdjust(bench);
  const neighbours = createNeighbourHypervisor(bench);
  return {
    ...adjust,
    rebuild() {
      adjust.rebuild();
      neighbours.build();
    },
    run(item, round, isDone) {
      bench.begin(item, round);
      neighbours.rollOver();
      const count = adjust.run(item, round, isDone);
      addFigure(count, ROW.rollovers, 1);
      return count;
    },
  };
}
