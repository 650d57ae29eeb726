/**
 * Hand-made results for the tests of reports: every field a plausible figure, overridden where a
 * test looks at it.
 */
import type { Estimate, Percentiles } from '../../src/result/estimate.ts';
import type { Trust, TrustFacts } from '../../src/result/trust.ts';
import type { FaultCounts, StressResult, StressRun, Violation } from '../../src/result/stress.ts';

export const NONE: Percentiles = { p50: null, p99: null, max: null, count: 0, histogram: '' };

export const times = (p50: number, p99: number, max: number): Percentiles => ({
  p50,
  p99,
  max,
  count: 1000,
  histogram: `${p50}x980 ${p99}x19 ${max}x1`,
});

const FACTS: TrustFacts = {
  rounds: 1200,
  roundsKept: 1200,
  roundsDropped: 0,
  preemptionKnown: true,
  scheduled: false,
  unsettled: false,
  collections: 0,
  windows: 38_400,
  episodes: 5200,
};

const FAULTS: FaultCounts = { spurious: 5200, genuine: 0, retry: 0, nt: 0, conflict: 0 };
const TRANSITIONS = 38_400;

/** A figure known exactly. */
export const exactly = (value: number): Estimate => ({ value, lo: value, hi: value });

/** Graded `fair` or so, for these reasons. */
export function aTrust(grade: Trust['grade'], ...reasons: readonly string[]): Trust {
  return { grade, reasons, facts: FACTS };
}

/** Counts per transition, as a row has them. */
function ratesOf(faults: FaultCounts, transitions: number): FaultCounts {
  const rate = (count: number): number => (transitions === 0 ? 0 : count / transitions);
  return {
    spurious: rate(faults.spurious),
    genuine: rate(faults.genuine),
    retry: rate(faults.retry),
    nt: rate(faults.nt),
    conflict: rate(faults.conflict),
  };
}

export function aRun(overrides: Partial<StressRun> = {}): StressRun {
  const { faults = FAULTS, transitions = TRANSITIONS } = overrides;
  return {
    scenario: 'adjust-populated',
    protocol: 'bbm-late',
    mutant: null,
    cpu: {
      bbm: '1',
      nt: 'translate',
      multihit: 'abort',
      spec: 'off',
      hafdbs: 'off',
      ets: 'ets2',
      tlb: 256,
      walkcache: 'on',
    },
    granule: '4k',
    level: 2,
    vcpus: 2,
    scheduling: 'parallel',
    reorder: false,
    access: 'wasm',
    delays: '',
    rounds: 1200,
    roundsDropped: 0,
    transitions,
    transitionsHit: 4723,
    hitShare: { value: 0.123, lo: 0.119, hi: 0.128 },
    faults,
    faultsUnattributed: 0,
    longestRefaultLoop: 0,
    spuriousPerTransition: { value: 0.1354, lo: 0.13, hi: 0.141 },
    faultsPerTransition: ratesOf(faults, transitions),
    sharesOf: 'undisturbed rounds',
    accesses: { issued: 9_000_000, completed: 9_000_000, lost: 0 },
    windowNs: times(4120, 12_040, 310_400),
    ntWindowNs: NONE,
    episodeNs: times(5300, 18_000, 320_000),
    flushNs: times(420, 2300, 9000),
    lockNs: times(5200, 15_000, 400_000),
    throughput: { during: 24_300_000, baseline: 31_000_000 },
    means: {
      during: exactly(24_300_000),
      baseline: exactly(31_000_000),
      refills: exactly(11.2),
    },
    roundsWarmUp: 0,
    trust: aTrust('good'),
    // A split has no price: reports show no answer.
    answer: { kind: 'split', lostNs: null, walkRate: null, cost: { lines: 7, needs: [] } },
    descriptorWrites: 2,
    tlbis: 1,
    refills: 11.2,
    verdict: 'pass',
    exhibit: null,
    violations: [],
    notes: [],
    ...overrides,
  };
}

/** A protocol that was never seen invalid. */
export const CLEAN_RUN: StressRun = aRun({
  protocol: 'rfc-nt-intended',
  transitionsHit: 0,
  hitShare: { value: 0, lo: 0, hi: 3 / 38_400 },
  faults: { spurious: 0, genuine: 0, retry: 0, nt: 0, conflict: 0 },
  spuriousPerTransition: { value: 0, lo: 0, hi: 3 / 38_400 },
  windowNs: NONE,
  ntWindowNs: times(431, 2400, 9100),
  episodeNs: NONE,
  throughput: { during: 30_100_000, baseline: 31_000_000 },
});

export function aViolation(overrides: Partial<Violation> = {}): Violation {
  return {
    rule: 'stale-translation',
    why: 'an access that began after the DSB used version 3 of the region, which version 4 had replaced',
    vcpu: 1,
    ipa: '0x40003000',
    round: 1207,
    count: 312,
    events: [
      {
        thread: 'vcpu 1',
        generation: 7,
        sequence: 91,
        text: 'load 0x40003000 by combined entry, version 3',
      },
      { thread: 'hypervisor', generation: 6, sequence: 112, text: 'write target = invalid' },
      {
        thread: 'hypervisor',
        generation: 7,
        sequence: 113,
        text: 'write target = block 0x80000000 rw v4',
      },
    ],
    exploreCommand: 'npm run explore -- --mutant no-tlbi --vcpus 1 --granule tiny',
    ...overrides,
  };
}

export function aResult(overrides: Partial<StressResult> = {}): StressResult {
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'stress',
    verdict: 'pass',
    exitCode: 0,
    reasons: [],
    seed: 42,
    argv: ['--protocol', 'bbm-late,rfc-nt-intended', '--seed', '42'],
    version: '0.1.0',
    machine: {
      cpus: 2,
      model: 'Example CPU @ 2.00GHz',
      arch: 'x64',
      node: '24.21.0',
      v8: '13.6',
      kernel: '6.8.0',
      notes: ['x86 is TSO: a missing release cannot show here without --reorder'],
    },
    startedAt: '2026-11-23T02:00:00.000Z',
    elapsedMs: 44_870,
    interrupted: false,
    controls: [
      {
        name: 'no-tlbi',
        rule: 'stale-translation',
        caught: true,
        twinClean: true,
        seconds: 0.83,
        detail: 'after 41 rounds',
      },
    ],
    runs: [aRun(), CLEAN_RUN],
    ...overrides,
  };
}
