/**
 * `--fail-fast` between two rounds: has the item that just ran broken a rule? It is judged again only
 * when there is something new to judge.
 */
import type { Arena } from '../../machine/arena.ts';
import { claimsOfBoth } from '../../port/both.ts';
import type { Claims } from '../../port/index.ts';
import type { GroupPlan, PlanItem } from '../plan/group.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import type { Observed } from './observed.ts';
import { type ResultsArea, ROW, totalOf } from '../results/results-area.ts';
import { recordedSigns } from '../results/signs.ts';
import type { Traces } from '../workloads/workload.ts';

export interface ToJudge {
  readonly arena: Arena;
  readonly plan: GroupPlan;
  readonly results: ResultsArea;
  readonly observed: Observed;
  readonly workload: { traces(): Pick<Traces, 'seen'> };
}

/** Always false where the plan does not ask for it. */
export async function createFailFast(of: ToJudge): Promise<() => boolean> {
  const { arena, plan, results, observed, workload } = of;
  if (plan.failsFast !== true) return () => false;
  // Only where it is wanted: the checker is as large as all the rest of a thread.
  const { FAIL_FAST_SIGNS, isViolated } = await import('./first-violation.ts');
  const claims = await claimsOf(plan);
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
      claims: claims[item] as Claims,
      traces,
      evidence,
      transitions: totalOf(results, item, ROW.transitions),
      spuriousFaults,
    });
  };
}

/** What each item is held to: of two at once both together. */
async function claimsOf({ items, against }: GroupPlan): Promise<readonly Claims[]> {
  const protocols = await Promise.all(items.map(({ protocol }) => loadProtocol(protocol)));
  if (against === undefined) return protocols.map(({ claims }) => claims);
  const other = await loadProtocol(against);
  return protocols.map((protocol) => claimsOfBoth(protocol, other));
}
