/**
 * `--fail-fast` between two rounds: has the item that just ran broken a rule? It is judged again only
 * when there is something new to judge.
 */
import type { Arena } from '../../machine/arena.ts';
import type { Protocol } from '../../port/index.ts';
import type { GroupPlan, PlanItem } from '../plan/group.ts';
import type { Observed } from './observed.ts';
import { type ResultsArea, ROW, totalOf } from '../row/results-area.ts';
import { recordedSigns } from '../row/signs.ts';
import type { Traces } from '../workloads/workload.ts';

export interface ToJudge {
  readonly arena: Arena;
  readonly plan: GroupPlan;
  readonly protocols: readonly Protocol[];
  readonly results: ResultsArea;
  readonly observed: Observed;
  readonly workload: { traces(): Pick<Traces, 'seen'> };
}

/** Always false where the plan does not ask for it. */
export async function createFailFast(of: ToJudge): Promise<() => boolean> {
  const { arena, plan, protocols, results, observed, workload } = of;
  if (plan.failsFast !== true) return () => false;
  // Only where it is wanted: the checker is as large as all the rest of a thread.
  const { FAIL_FAST_SIGNS, isViolated } = await import('./first-violation.ts');
  /** By item: what has been judged and found good. */
  const foundGood: string[] = [];
  return () => {
    const { item } = observed;
    if (recordedSigns(arena, item, FAIL_FAST_SIGNS) > 0) return true;
    const traces = workload.traces().seen[item] ?? [];
    const evidence = observed.evidence[item] ?? [];
    const spuriousFaults = totalOf(results, item, ROW.spurious);
    const state = `${traces.length} ${evidence.length} ${spuriousFaults > 0}`;
    if (state === foundGood[item]) return false;
    foundGood[item] = state;
    return isViolated({
      planned: plan.items[item] as PlanItem,
      protocol: protocols[item] as Protocol,
      traces,
      evidence,
      transitions: totalOf(results, item, ROW.transitions),
      spuriousFaults,
    });
  };
}
