/**
 * `--fail-fast`: does what the hypervisor's thread knows between two rounds break a rule? The checker
 * judges it as it will judge the whole run; what vCPUs recorded is told by its signs alone, and judged
 * by the main thread when the group has ended.
 */
import { announcedBbm } from '../../arch/cpu-model.ts';
import { judgeRun } from '../../checker/grade.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import type { Claims } from '../../port/index.ts';
import type { Evidence } from '../../result/evidence.ts';
import { RULES } from '../../result/rule.ts';
import type { PlanItem } from '../plan/group.ts';
import { type Sign, signsOf } from '../results/signs.ts';

/** Of every rule but the one that depends on what a protocol claims. */
export const FAIL_FAST_SIGNS: readonly Sign[] = signsOf(RULES.filter((rule) => rule !== 'claim'));

export interface ItemSoFar {
  readonly planned: PlanItem;
  readonly claims: Claims;
  readonly traces: readonly SeenTrace[];
  readonly evidence: readonly Evidence[];
  readonly transitions: number;
  readonly spuriousFaults: number;
}

export function isViolated(item: ItemSoFar): boolean {
  const { planned, claims, transitions } = item;
  const { findings } = judgeRun({
    evidence: item.evidence,
    evidenceDropped: 0,
    traces: item.traces,
    accounting: { issued: 0, completed: 0, inFlight: 0 },
    claims,
    cpu: planned.cpu,
    bbm: announcedBbm(planned.cpu),
    transitions,
    spuriousFaults: item.spuriousFaults,
  });
  return findings.some(({ rule }) => rule !== 'claim' || planned.isExhibit !== true);
}
