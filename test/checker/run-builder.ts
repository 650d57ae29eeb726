/** A run in which everything is well, to which a test adds what is not. */
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import type { GradeInput } from '../../src/checker/grade.ts';
import type { Finding, JudgedRun, RuleChecker, RunRecord } from '../../src/checker/run-record.ts';
import { legalSequences } from './legal-sequences.ts';
import { traceOf } from './trace-builder.ts';

export function traceNamed(name: string): RunRecord['traces'][number]['trace'] {
  const sequence = legalSequences().find((s) => s.name === name);
  if (sequence === undefined) throw new Error(`no sequence ${name}`);
  return traceOf(sequence.kind, sequence.steps);
}

export function runWith(over: Partial<RunRecord> = {}): RunRecord {
  return {
    evidence: [],
    evidenceDropped: 0,
    traces: [{ trace: traceNamed('nt-spec'), count: 100 }],
    accounting: { issued: 1000, completed: 996, inFlight: 4 },
    claims: {},
    cpu: DEFAULT_CPU,
    bbm: 1,
    transitions: 100,
    spuriousFaults: 0,
    ...over,
  };
}

export function judge(checker: RuleChecker, over: Partial<RunRecord> = {}): Finding[] {
  const record = runWith(over);
  const run: JudgedRun = {
    ...record,
    judged: record.traces.map((t) => ({ ...t, verdict: judgeTrace(t.trace, record.bbm) })),
  };
  return checker.judge(run);
}

export function gradeInput(over: Partial<GradeInput> = {}): GradeInput {
  return { ...runWith(), exploreCommand: 'npm run explore -- --protocol nt-spec', ...over };
}
