/**
 * From a run's records to its verdict: a pure function, in the manner of jcstress' TestGrading.
 * Sightings of the same thing become one violation with a count; nothing that was recorded is
 * dropped; a run in which nothing happened is inconclusive, as no rule could have been violated.
 */
import { assert } from '../arch/assert.ts';
import type { Verdict } from '../result/exit-code.ts';
import { RULES } from '../result/rule.ts';
import type { Violation, ViolationEvent } from '../result/stress.ts';
import { judgeTrace } from './automaton.ts';
import { traceEvents } from './describe-trace.ts';
import { IMPLEMENTED_RULES } from './rules/index.ts';
import type { Finding, JudgedRun, JudgedTrace, RuleChecker, RunRecord } from './run-record.ts';
import { hex } from './sighting.ts';

export interface GradeInput extends RunRecord {
  /** The command that runs the same configuration in the explorer. */
  readonly exploreCommand: string;
  /** The last events of the threads concerned. A finding about a transition brings its own. */
  readonly eventsOf?: (finding: Finding) => readonly ViolationEvent[];
}

export interface Grade {
  readonly verdict: Verdict;
  readonly violations: readonly Violation[];
  readonly notes: readonly string[];
}

/** One finding per rule and key, the sharpest, with all sightings counted. */
function merge(findings: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.rule} ${finding.key}`;
    const other = merged.get(key);
    const sharper = other === undefined || finding.sharpness > other.sharpness ? finding : other;
    merged.set(key, { ...sharper, count: (other?.count ?? 0) + finding.count });
  }
  return [...merged.values()];
}

/** About the order of the protocol's own steps: what the sightings of the same run come from. */
function isCause({ rule, transition }: Finding): boolean {
  return transition !== null && (rule === 'break-before-make' || rule === 'freed-table');
}

/** Causes first, as the transition comes to them; then by rule, what a guest would notice most. */
function causesFirst(a: Finding, b: Finding): number {
  if (isCause(a) && isCause(b)) {
    const [before, after] = [a, b].map(({ transition }) => transition?.event ?? Infinity);
    return b.count - a.count || (before ?? 0) - (after ?? 0);
  }
  if (isCause(a) || isCause(b)) return Number(isCause(b)) - Number(isCause(a));
  return RULES.indexOf(a.rule) - RULES.indexOf(b.rule) || b.count - a.count;
}

/** All findings, merged, causes first. */
export function judgeRun(record: RunRecord): { run: JudgedRun; findings: readonly Finding[] } {
  // A kind that no rule judges would be evidence dropped.
  const seen = new Set(IMPLEMENTED_RULES.flatMap(({ sees }) => sees));
  for (const { kind } of record.evidence) {
    assert(seen.has(kind), `evidence of kind ${kind} is judged by a rule`);
  }
  const judged = record.traces.map(({ truncated = false, ...seen }): JudgedTrace => ({
    ...seen,
    truncated,
    verdict: judgeTrace(seen.trace, record.bbm, truncated, record.cpu.hafdbs),
  }));
  const run: JudgedRun = { ...record, judged };
  const findings = merge(IMPLEMENTED_RULES.flatMap((checker) => judgedBy(checker, run)));
  return { run, findings: findings.toSorted(causesFirst) };
}

function judgedBy(rule: RuleChecker, run: JudgedRun): readonly Finding[] {
  const evidence = run.evidence.filter(({ kind }) => rule.sees.includes(kind));
  return rule.judge({ ...run, evidence });
}

function violationOf(finding: Finding, input: GradeInput): Violation {
  const { rule, why, vcpu, round, count, transition } = finding;
  const own = transition === null ? [] : traceEvents(transition.trace, transition.event);
  return {
    rule,
    why,
    vcpu,
    ipa: finding.ipa === null ? null : hex(finding.ipa),
    round,
    count,
    events: [...own, ...(input.eventsOf?.(finding) ?? [])],
    exploreCommand: input.exploreCommand,
  };
}

/** Why a run without violations proves nothing. */
function emptiness(input: GradeInput): string[] {
  const reasons: string[] = [];
  if (input.transitions === 0) reasons.push('no transition ran');
  if (input.accounting.completed === 0) reasons.push('no access completed');
  if (input.transitions > 0 && input.traces.length === 0) {
    reasons.push('no trace of a transition was kept, so break-before-make was not judged');
  }
  const kept = input.traces.reduce((n, { count }) => n + count, 0);
  if (input.traces.length > 0 && kept < input.transitions) {
    reasons.push(
      `${input.transitions - kept} of ${input.transitions} transitions had traces beyond those ` +
        'kept, so break-before-make was not judged for them',
    );
  }
  const cut = input.traces.reduce((n, { count, truncated }) => n + (truncated ? count : 0), 0);
  if (cut > 0) {
    reasons.push(`${cut} transitions were too long to be recorded whole; their end was not judged`);
  }
  if (input.evidenceDropped > 0) {
    reasons.push(
      `${input.evidenceDropped} pieces of evidence were not kept, so they were not judged`,
    );
  }
  return reasons;
}

function traceNotes(run: JudgedRun): string[] {
  const counts = new Map<string, number>();
  for (const { count, verdict } of run.judged) {
    for (const note of verdict.notes) counts.set(note, (counts.get(note) ?? 0) + count);
  }
  // No counts: rows of several starts are one, and say the same once.
  return [...counts].map(([note, count]) =>
    count >= run.transitions ? note : `${note} (some transitions)`,
  );
}

export function gradeRun(input: GradeInput): Grade {
  const { run, findings } = judgeRun(input);
  const empty = emptiness(input);
  return {
    verdict: findings.length > 0 ? 'fail' : empty.length > 0 ? 'inconclusive' : 'pass',
    violations: findings.map((finding) => violationOf(finding, input)),
    notes: [...empty, ...traceNotes(run)],
  };
}
