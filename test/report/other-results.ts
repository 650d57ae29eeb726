/** Hand-made results of the other commands, as reports read them from files. */
import type {
  BenchFile,
  CheckTraceFile,
  ExploreFile,
  LitmusFile,
  SelftestFile,
} from '../../src/result/read.ts';
import type { BenchSeries } from '../../src/result/bench.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { aResult, aRun } from './results.ts';

const { controls: _controls, runs: _runs, command: _command, ...HEADER } = aResult();
const SEEDLESS = { ...HEADER, seed: null };

export function anExploreRun(overrides: Partial<ExploreRun> = {}): ExploreRun {
  return {
    protocol: 'bbm-late',
    mutant: null,
    cpu: aRun().cpu,
    granule: 'tiny',
    level: 2,
    vcpus: 1,
    verdict: 'safe',
    states: 9390,
    executions: 412,
    orders: 300,
    elapsedMs: 412,
    bounds: {
      events: 24,
      states: 1_000_000,
      nodes: 200_000,
      timeMs: 60_000,
      operations: 96,
      tables: 6,
      programs: 20,
      accesses: 2,
    },
    stoppedBy: null,
    outcomes: [
      { id: 'around: old', count: 12, grade: 'acceptable', why: 'it used the old mapping' },
    ],
    violation: null,
    violations: [],
    notes: [],
    ...overrides,
  };
}

export const VIOLATED_RUN: ExploreRun = anExploreRun({
  protocol: 'rfc-nt-posted',
  verdict: 'violated',
  violations: [
    {
      rule: 'claim',
      why: 'it took a translation fault on a page mapped before and after',
      by: 'schedule',
      steps: [
        { thread: 'hypervisor', op: 'write', detail: 'entry = invalid (bits kept)' },
        { thread: 'vcpu 0', op: 'walk', detail: 'page 0: entry is invalid' },
        { thread: 'vcpu 0', op: 'fault', detail: 'load page 0: translation, level 2' },
      ],
      token: 'x1-token',
    },
  ],
});

export function anExploreResult(overrides: Partial<ExploreFile> = {}): ExploreFile {
  const runs = [anExploreRun(), VIOLATED_RUN];
  return { ...SEEDLESS, command: 'explore', verdict: 'fail', exitCode: 1, runs, ...overrides };
}

export function aSelftestResult(overrides: Partial<SelftestFile> = {}): SelftestFile {
  const run = {
    mutant: 'no-tlbi',
    rule: 'stale-translation',
    engine: 'stress',
    column: 'stress',
    setting: '',
    by: 'observation',
    expectedRules: ['stale-translation'],
    expected: 'caught',
    observed: 'caught',
    seconds: 0.83,
    firedRule: 'stale-translation',
    wrongRule: null,
    attempts: [],
    reportProblems: [],
    why: null,
    unfinished: null,
  } as const;
  return {
    ...HEADER,
    command: 'selftest',
    verdict: 'fail',
    exitCode: 1,
    seeds: [42],
    runs: [
      run,
      { ...run, engine: 'explore', column: 'explore', observed: 'missed', firedRule: null },
      {
        ...run,
        mutant: 'entry-unfenced',
        engine: 'explore',
        column: 'explore',
        expected: 'missed',
        observed: 'missed',
        firedRule: null,
        why: 'there is no entry to race with',
      },
    ],
    innocents: [
      {
        protocol: 'bbm-late',
        engine: 'stress',
        setting: '',
        accusations: [],
        work: 100,
        unfinished: null,
      },
    ],
    amplification: null,
    ...overrides,
  };
}

export function aLitmusResult(): LitmusFile {
  const run = {
    name: 'mp',
    file: 'mp.litmus',
    arch: 'base',
    verdict: 'allowed',
    states: 4,
    executions: 6,
    orders: 6,
    elapsedMs: 3,
    quantifier: 'exists',
    condition: '',
    histogram: [],
  } as const;
  const runs = [
    { ...run, expected: 'allowed', agrees: true },
    { ...run, arch: 'ets2', expected: 'forbidden', agrees: false },
    { ...run, name: 'odd', verdict: 'unsupported', reason: 'LDXP is not modelled' },
  ] as const;
  return { ...SEEDLESS, command: 'litmus', verdict: 'fail', exitCode: 1, runs };
}

export function aBenchResult(): BenchFile {
  return {
    ...HEADER,
    command: 'bench',
    conclusions: ['the walk keeps up'],
    runs: [
      {
        name: 'tlb-hit',
        unit: 'accesses/s',
        ours: 8e7,
        peer: 1e8,
        ratio: 0.8,
        aim: 0.85,
        met: false,
        interval: [0.78, 0.82],
        laps: 20,
      },
    ],
  };
}

export const SERIES: BenchSeries = {
  name: 'cycle by vCPUs',
  asks: 'a split and a coalesce',
  x: 'vCPUs',
  y: 'µs per cycle',
  points: [
    { x: 1, y: 1.5, interval: [1.25, 1.75], laps: 6 },
    { x: 2, y: 3, interval: [3, 3], laps: 6 },
    { x: 4, label: 'in turns', y: 12, interval: [10, 20], laps: 6 },
  ],
  exponent: { value: 1.5, interval: [1.4, 1.6] },
  conclusion: 'worse than in proportion to vCPUs: each waits for the others',
  aim: { what: 'four vCPUs: 12 µs, the aim is 10', met: false },
};

/** Of `bench --growth`. */
export function aGrowthResult(series: readonly BenchSeries[] = [SERIES]): BenchFile {
  return { ...aBenchResult(), argv: ['--growth'], conclusions: [], runs: [], series };
}

export function aTraceResult(): CheckTraceFile {
  return {
    ...SEEDLESS,
    command: 'check-trace',
    verdict: 'fail',
    exitCode: 1,
    runs: [
      {
        file: 'boot.log',
        verdict: 'violated',
        events: 100,
        entries: 7,
        threads: 2,
        violations: [
          {
            line: 12,
            rule: 'break-before-make',
            why: 'valid to valid without break',
            place: 'mem.c:7',
            count: 2,
            firstEvent: 11,
            source: 'mem.c:7',
            entry: 'entry at 0x1000',
            entries: ['entry at 0x1000', 'entry at 0x1008'],
            events: [{ line: 12, thread: 0, text: 'store 0x0 (invalid)', source: 'mem.c:6' }],
          },
        ],
        notJudged: ['locks are not in this log'],
        damage: null,
        transitions: { coalesce: 2 },
        tlbis: { vmalls12e1is: 1 },
        windows: { count: 1, p50: 4, p99: 4, max: 4 },
        sequences: [{ kind: 'coalesce', level: 2, steps: ['str 0', 'stlr block'], count: 2 }],
      },
    ],
  };
}
