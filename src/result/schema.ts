/**
 * What a result file must look like to be reported or merged, per command. Only what reports and
 * merges rely on: fields beyond these are kept and not judged, so that a newer result is read by an
 * older program as long as `schema` is the same.
 *
 * valibot is not for worker threads: nothing they load may import this file.
 */
import * as v from 'valibot';
import { GROUP_STATES } from './campaign-state.ts';
import { TRACE_RULES, TRACE_VERDICTS } from './check-trace.ts';
import { HISTOGRAM_PATTERN } from './distribution.ts';
import { OUTCOME_GRADES } from './explore.ts';
import { LITMUS_VERDICTS } from './litmus.ts';
import { RULES } from './rule.ts';
import { TRUST_GRADES } from './trust.ts';

const text = v.string();
const flag = v.boolean();
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(number, v.minValue(0));
const whole = v.pipe(count, v.integer());
const texts = v.array(text);
const exitCode = v.picklist([0, 1, 2, 3, 4, 70, 130]);
const verdict = v.picklist(['pass', 'fail', 'inconclusive']);

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
      elapsedMs: count,
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
  elapsedMs: count,
  interrupted: flag,
  shard: v.exactOptional(shard),
  merged: v.exactOptional(merged),
};

const cpu = v.looseObject({ bbm: text, nt: text });
const rule = v.picklist(RULES);
/** Where no trial bounds it, `hi` is infinite, for which JSON has no word. */
const estimate = v.looseObject({
  value: v.nullable(count),
  lo: v.nullable(count),
  hi: v.nullable(count),
});
const percentiles = v.looseObject({
  p50: v.nullable(count),
  p99: v.nullable(count),
  max: v.nullable(count),
  count: whole,
  histogram: v.exactOptional(
    v.pipe(text, v.regex(HISTOGRAM_PATTERN, 'not buckets such as 63x12 65x3')),
  ),
});

const violation = v.looseObject({
  rule,
  why: text,
  vcpu: v.nullable(whole),
  ipa: v.nullable(text),
  round: v.nullable(whole),
  count: whole,
  seen: v.exactOptional(whole),
  events: v.array(v.looseObject({ thread: text, generation: number, sequence: number, text })),
  exploreCommand: text,
});

/** As `estimate`, of a difference. */
const signedEstimate = v.looseObject({
  value: v.nullable(number),
  lo: v.nullable(number),
  hi: v.nullable(number),
});
const migration = v.looseObject({
  count: whole,
  pagesSent: count,
  loggingFaults: count,
  cancel: v.nullable(
    v.looseObject({
      coalesceNs: estimate,
      faults: estimate,
      accessesLost: v.nullable(signedEstimate),
    }),
  ),
});

const answer = v.looseObject({
  kind: v.picklist(['coalesce', 'split']),
  lostNs: v.nullable(estimate),
  walkRate: v.nullable(estimate),
  cost: v.looseObject({ lines: whole, needs: texts }),
});
const trust = v.looseObject({
  grade: v.picklist(TRUST_GRADES),
  reasons: texts,
  facts: v.exactOptional(
    v.looseObject({
      rounds: whole,
      roundsKept: whole,
      roundsDropped: whole,
      preemptionKnown: flag,
      scheduled: flag,
      unsettled: flag,
      collections: whole,
      windows: whole,
      episodes: whole,
    }),
  ),
});

const stressRun = v.looseObject({
  scenario: text,
  protocol: text,
  mutant: v.nullable(text),
  cpu,
  granule: text,
  level: whole,
  vcpus: whole,
  scheduling: v.picklist(['parallel', 'scheduled']),
  reorder: flag,
  access: text,
  delays: text,
  repeats: v.exactOptional(whole),
  rounds: whole,
  roundsDropped: whole,
  transitions: whole,
  transitionsHit: whole,
  hitShare: estimate,
  faults: v.looseObject({
    spurious: whole,
    genuine: whole,
    retry: whole,
    nt: whole,
    conflict: whole,
  }),
  faultsUnattributed: whole,
  longestRefaultLoop: v.exactOptional(whole),
  spuriousPerTransition: estimate,
  faultsPerTransition: v.exactOptional(
    v.looseObject({
      spurious: count,
      genuine: count,
      retry: count,
      nt: count,
      conflict: count,
    }),
  ),
  sharesOf: v.exactOptional(v.picklist(['undisturbed rounds', 'all rounds'])),
  accesses: v.looseObject({ issued: whole, completed: whole, lost: number }),
  windowNs: percentiles,
  ntWindowNs: percentiles,
  episodeNs: percentiles,
  flushNs: percentiles,
  lockNs: percentiles,
  throughput: v.looseObject({ during: v.nullable(count), baseline: v.nullable(count) }),
  descriptorWrites: count,
  tlbis: count,
  refills: count,
  stages: v.exactOptional(
    v.array(
      v.looseObject({
        name: text,
        ns: estimate,
        faults: v.looseObject({ spurious: count, genuine: count, retry: count }),
      }),
    ),
  ),
  neighbour: v.exactOptional(v.looseObject({ accesses: whole, refills: whole, rollovers: whole })),
  migration: v.exactOptional(migration),
  verdict,
  exhibit: v.nullable(text),
  violations: v.array(violation),
  notes: texts,
  machine: v.exactOptional(whole),
  answer: v.exactOptional(answer),
  trust: v.exactOptional(trust),
});

const control = v.looseObject({
  name: text,
  rule,
  caught: flag,
  twinClean: flag,
  standsFor: v.exactOptional(text),
  seconds: count,
  detail: text,
});

const exploreViolation = v.looseObject({
  rule,
  why: text,
  steps: v.array(
    v.looseObject({ thread: text, op: text, detail: text, why: v.exactOptional(text) }),
  ),
  token: v.nullable(text),
});

const exploreRun = v.looseObject({
  scenario: v.exactOptional(text),
  protocol: text,
  mutant: v.nullable(text),
  cpu,
  granule: text,
  level: whole,
  vcpus: whole,
  verdict: v.picklist(['safe', 'violated', 'bounded']),
  states: whole,
  executions: whole,
  elapsedMs: count,
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
  elapsedMs: count,
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
  seconds: count,
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
  ours: count,
  peer: v.nullable(count),
  ratio: v.nullable(count),
  aim: v.nullable(count),
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
        x: count,
        label: v.exactOptional(text),
        y: count,
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
    p50: v.nullable(count),
    p99: v.nullable(count),
    max: v.nullable(count),
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

const campaign = v.looseObject({
  groups: v.array(
    v.looseObject({
      label: text,
      rows: whole,
      state: v.picklist(GROUP_STATES),
      shareMs: v.nullable(count),
      spentMs: count,
      notes: texts,
    }),
  ),
  leftMs: v.nullable(count),
  files: v.array(v.looseObject({ path: text, sha256: text })),
  parts: v.pipe(
    v.array(v.looseObject({ startedAt: text, elapsedMs: count, exitCode })),
    v.minLength(1),
  ),
  repeats: v.exactOptional(v.array(stressRun)),
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
  explore: v.looseObject({ ...header, command: v.literal('explore'), runs: v.array(exploreRun) }),
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
