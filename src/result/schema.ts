/**
 * What a result file must look like to be reported or merged, per command. Only what reports and
 * merges rely on: fields beyond these are kept and not judged, so that a newer result is read by an
 * older program as long as `schema` is the same.
 *
 * valibot is not for worker threads: nothing they load may import this file.
 */
import * as v from 'valibot';
import { TRACE_RULES, TRACE_VERDICTS } from './check-trace.ts';
import { amount, flag, number, text, texts, whole } from './checks.ts';
import { ABLATION_CHANGES, OUTCOME_GRADES } from './explore.ts';
import { LITMUS_VERDICTS } from './litmus.ts';
import { campaign, control, cpu, exitCode, rule, stressRun, verdict } from './stress-schema.ts';

const shard = v.pipe(
  v.looseObject({
    index: v.pipe(whole, v.minValue(1)),
    count: v.pipe(whole, v.minValue(1)),
  }),
  v.check(({ index, count }) => index <= count, 'the index is above the count'),
);

const machine = v.looseObject({
  cpus: whole,
  model: text,
  arch: text,
  node: text,
  v8: text,
  kernel: text,
  notes: texts,
});

/** What merging adds (merged.ts). */
const merged = v.looseObject({
  machines: v.pipe(v.array(machine), v.minLength(1)),
  sources: v.array(
    v.looseObject({
      argv: texts,
      startedAt: text,
      parts: v.exactOptional(texts),
      elapsedMs: amount,
      seed: v.nullable(number),
      shard: v.nullable(shard),
      machine: whole,
      verdict,
      exitCode,
      interrupted: flag,
      superseded: flag,
    }),
  ),
  duplicates: whole,
});

const header = {
  tool: v.literal('stage2-stress'),
  schema: v.literal(1),
  verdict,
  exitCode,
  reasons: texts,
  seed: v.nullable(number),
  argv: texts,
  version: text,
  machine,
  startedAt: text,
  elapsedMs: amount,
  interrupted: flag,
  shard: v.exactOptional(shard),
  merged: v.exactOptional(merged),
};

const exploreStep = v.looseObject({
  ...{ thread: text, op: text, detail: text, why: v.exactOptional(text) },
  number: v.exactOptional(v.nullable(whole)),
});

const exploreViolation = v.looseObject({
  rule,
  why: text,
  steps: v.array(exploreStep),
  toCome: v.exactOptional(v.array(exploreStep)),
  token: v.nullable(text),
  replayFile: v.exactOptional(text),
  noToken: v.exactOptional(text),
});

const exploreRun = v.looseObject({
  scenario: v.exactOptional(text),
  protocol: text,
  mutant: v.nullable(text),
  repaired: v.exactOptional(
    v.looseObject({
      protocol: text,
      against: v.exactOptional(text),
      by: v.picklist(['repeat', 'interrupt']),
    }),
  ),
  against: v.exactOptional(v.nullable(text)),
  handlers: v.exactOptional(v.picklist([1, 2])),
  cpu,
  granule: text,
  regions: v.exactOptional(v.picklist([2])),
  part: v.exactOptional(v.looseObject({ from: whole, to: whole, of: whole })),
  level: whole,
  vcpus: whole,
  verdict: v.picklist(['safe', 'violated', 'bounded']),
  states: whole,
  executions: whole,
  elapsedMs: amount,
  bounds: v.looseObject({ accesses: whole }),
  stoppedBy: v.nullable(text),
  exhibit: v.exactOptional(text),
  outcomes: v.array(
    v.looseObject({
      id: text,
      count: v.nullable(whole),
      grade: v.picklist(OUTCOME_GRADES),
      why: text,
    }),
  ),
  violations: v.array(exploreViolation),
  missing: v.exactOptional(
    v.nullable(
      v.array(
        v.looseObject({ line: whole, column: whole, fix: text, rule: v.nullable(rule), why: text }),
      ),
    ),
  ),
  ablation: v.exactOptional(
    v.array(
      v.looseObject({
        step: whole,
        operation: text,
        line: v.nullable(whole),
        change: v.picklist(ABLATION_CHANGES),
        to: v.nullable(text),
        needed: flag,
        rules: v.array(rule),
        cpus: texts,
        rulesOn: v.exactOptional(v.array(v.array(rule))),
        token: v.nullable(text),
        replayFile: v.exactOptional(text),
        why: v.nullable(text),
        isOpen: v.exactOptional(v.literal(true)),
        bounded: texts,
      }),
    ),
  ),
  notes: texts,
});

const litmusRun = v.looseObject({
  name: text,
  file: text,
  arch: text,
  verdict: v.picklist(LITMUS_VERDICTS),
  reason: v.exactOptional(text),
  states: whole,
  executions: whole,
  elapsedMs: amount,
  expected: v.exactOptional(v.picklist(LITMUS_VERDICTS)),
  agrees: v.exactOptional(flag),
});

const sighting = v.picklist(['caught', 'missed']);
const selftestRun = v.looseObject({
  mutant: text,
  rule: text,
  engine: text,
  column: text,
  setting: text,
  expected: sighting,
  observed: sighting,
  seconds: amount,
  firedRule: v.nullable(text),
  wrongRule: v.nullable(text),
  why: v.nullable(text),
  unfinished: v.nullable(text),
});

const innocent = v.looseObject({
  protocol: text,
  engine: text,
  setting: text,
  accusations: v.array(v.looseObject({ rule: text, why: text })),
  unfinished: v.nullable(text),
});

const benchRun = v.looseObject({
  name: text,
  unit: text,
  ours: amount,
  peer: v.nullable(amount),
  ratio: v.nullable(amount),
  aim: v.nullable(amount),
  met: v.nullable(flag),
  why: v.exactOptional(text),
  interval: v.looseTuple([v.nullable(number), v.nullable(number)]),
});

const benchInterval = v.looseTuple([number, number]);
const benchSeries = v.looseObject({
  name: text,
  asks: text,
  x: text,
  y: text,
  points: v.pipe(
    v.array(
      v.looseObject({
        x: amount,
        label: v.exactOptional(text),
        y: amount,
        interval: benchInterval,
        laps: whole,
      }),
    ),
    v.minLength(1),
  ),
  exponent: v.nullable(v.looseObject({ value: number, interval: benchInterval })),
  conclusion: text,
  aim: v.exactOptional(v.looseObject({ what: text, met: flag })),
});

const traceStep = v.looseObject({
  line: whole,
  thread: whole,
  text,
  source: v.nullable(text),
});
const counts = v.record(text, whole);
const traceRun = v.looseObject({
  file: text,
  verdict: v.picklist(TRACE_VERDICTS),
  events: whole,
  entries: whole,
  threads: whole,
  violations: v.array(
    v.looseObject({
      rule: v.picklist(TRACE_RULES),
      why: text,
      place: text,
      count: v.pipe(whole, v.minValue(1)),
      firstEvent: whole,
      line: whole,
      source: v.nullable(text),
      entry: text,
      entries: texts,
      events: v.array(traceStep),
    }),
  ),
  notJudged: texts,
  damage: v.nullable(v.looseObject({ line: whole, why: text })),
  transitions: counts,
  tlbis: counts,
  windows: v.looseObject({
    count: whole,
    p50: v.nullable(amount),
    p99: v.nullable(amount),
    max: v.nullable(amount),
  }),
  sequences: v.array(
    v.looseObject({
      kind: v.picklist(['coalesce', 'split']),
      level: whole,
      steps: texts,
      count: whole,
    }),
  ),
});

export const SCHEMAS = {
  stress: v.looseObject({
    ...header,
    command: v.literal('stress'),
    remarks: v.exactOptional(texts),
    controls: v.array(control),
    runs: v.array(stressRun),
    campaign: v.exactOptional(campaign),
  }),
  explore: v.looseObject({
    ...header,
    command: v.literal('explore'),
    remarks: v.exactOptional(texts),
    runs: v.array(exploreRun),
  }),
  litmus: v.looseObject({ ...header, command: v.literal('litmus'), runs: v.array(litmusRun) }),
  selftest: v.looseObject({
    ...header,
    command: v.literal('selftest'),
    runs: v.array(selftestRun),
    innocents: v.array(innocent),
  }),
  bench: v.looseObject({
    ...header,
    command: v.literal('bench'),
    runs: v.array(benchRun),
    series: v.exactOptional(v.array(benchSeries)),
  }),
  'check-trace': v.looseObject({
    ...header,
    command: v.literal('check-trace'),
    runs: v.array(traceRun),
  }),
};
