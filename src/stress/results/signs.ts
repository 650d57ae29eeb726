/**
 * Signs that a rule may be broken, as a running group can see them: kinds of evidence, and counts
 * that do not balance. A group may end at the first of them, or count the rounds that had one. They
 * decide nothing: the checker judges what was recorded when the group is over.
 */
import { assertNever } from '../../arch/assert.ts';
import type { Arena } from '../../machine/arena.ts';
import { EVIDENCE_AREA, evidenceCounter, threadsOf } from '../../machine/layout.ts';
import { EVIDENCE } from '../../machine/recorder.ts';
import type { Evidence } from '../../result/evidence.ts';
import type { Rule } from '../../result/rule.ts';
import { ROW } from './results-area.ts';

/** `imbalance`: accesses issued that neither completed nor are in flight, over a round. */
export type Sign = Evidence['kind'] | 'imbalance';

function signsOfRule(rule: Rule): readonly Sign[] {
  switch (rule) {
    case 'lost-access':
      return ['value', 'imbalance'];
    case 'stale-translation':
      return ['version'];
    case 'wrong-output-address':
      return ['address', 'version'];
    case 'wrong-permission':
      return ['permission'];
    case 'torn-descriptor':
      return ['torn'];
    case 'freed-table':
      return ['freed'];
    case 'tlb-conflict':
      return ['conflict'];
    case 'claim':
      return ['spurious'];
    case 'table-leak':
      return ['leak'];
    case 'refcount':
      return ['refcount'];
    case 'progress':
      return ['livelock', 'progress'];
    case 'lost-dirty':
      return ['dirty'];
    case 'vmid-isolation':
      return ['foreign', 'neighbour'];
    // Judged from the operations of a transition alone.
    case 'break-before-make':
      return [];
    default:
      return assertNever(rule);
  }
}

/** What may be seen while a group runs if one of `rules` is broken; empty if nothing can. */
export function signsOf(rules: readonly Rule[]): readonly Sign[] {
  return [...new Set(rules.flatMap(signsOfRule))];
}

/** Pieces of evidence of these kinds that all threads have recorded of a plan item so far. */
export function recordedSigns(arena: Arena, item: number, signs: readonly Sign[]): number {
  const { i32, layout } = arena;
  let seen = 0;
  for (let thread = 0; thread < threadsOf(layout.config); thread++) {
    const area = layout.evidenceW + thread * EVIDENCE_AREA.words;
    for (const sign of signs) {
      const code = sign in EVIDENCE ? EVIDENCE[sign as keyof typeof EVIDENCE] : null;
      if (code !== null) seen += Atomics.load(i32, evidenceCounter(area, item, code));
    }
  }
  return seen;
}

/** Signs in the counts of one finished round, whose row begins at `at`. */
export function countedSigns(rows: Float64Array, at: number, signs: readonly Sign[]): number {
  const of = (field: number): number => rows[at + field] as number;
  const lost = Math.abs(of(ROW.issued) - of(ROW.completed) - of(ROW.inFlight));
  const spurious = of(ROW.spurious);
  return (signs.includes('imbalance') ? lost : 0) + (signs.includes('spurious') ? spurious : 0);
}
