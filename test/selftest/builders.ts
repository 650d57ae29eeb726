/** Hand-made cases, attempts and engines for the tests of the orchestration and its verdict. */
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import type { Mutant } from '../../src/mutants/index.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import type { Rule } from '../../src/result/rule.ts';
import type {
  AmplificationRun,
  InnocentRun,
  SelftestAttempt,
  SelftestRun,
} from '../../src/result/selftest.ts';
import type { Case } from '../../src/selftest/cases.ts';
import type { Attempted, Engines } from '../../src/selftest/engines.ts';
import type { SelftestHooks, SelftestPlan } from '../../src/selftest/run.ts';
import { HUNT_SETTING } from '../../src/stress/campaign/hunt.ts';

export function aMutant(name: string, overrides: Partial<Mutant> = {}): Mutant {
  return {
    name,
    what: 'a step is missing',
    evidence: 'none',
    rule: 'stale-translation',
    twin: 'bbm-early',
    seed: { kind: 'protocol', protocol: bbmEarly },
    caughtBy: [],
    missedBy: [],
    ...overrides,
  };
}

export function aCase(name: string, overrides: Partial<Case> = {}): Case {
  return {
    mutant: aMutant(name),
    column: 'stress',
    engine: 'stress',
    protocol: bbmEarly,
    twin: bbmEarly,
    cpu: DEFAULT_CPU,
    setting: HUNT_SETTING,
    rules: ['stale-translation'],
    by: 'observation',
    why: null,
    flags: '',
    ...overrides,
  };
}

export function attempted(
  fired: Rule | null,
  overrides: Partial<SelftestAttempt> = {},
  reportProblems: readonly string[] = [],
): Attempted {
  const attempt: SelftestAttempt = {
    seed: 1,
    observed: fired === null ? 'missed' : 'caught',
    seconds: 0.3,
    work: 64,
    rules: fired === null ? [] : [fired],
    note: null,
    ...overrides,
  };
  return { kind: 'done', attempt, fired, reportProblems };
}

export const CAUGHT = attempted('stale-translation');
export const MISSED = attempted(null);

export function aSelftestRun(overrides: Partial<SelftestRun> = {}): SelftestRun {
  return {
    mutant: 'no-tlbi',
    rule: 'stale-translation',
    engine: 'stress',
    column: 'stress',
    setting: '',
    by: 'observation',
    expectedRules: ['stale-translation'],
    expected: 'caught',
    observed: 'caught',
    seconds: 0.31,
    firedRule: 'stale-translation',
    wrongRule: null,
    attempts: [
      {
        seed: 1,
        observed: 'caught',
        seconds: 0.31,
        work: 64,
        rules: ['stale-translation'],
        note: null,
      },
    ],
    reportProblems: [],
    why: null,
    unfinished: null,
    ...overrides,
  };
}

export function aSurvivor(overrides: Partial<SelftestRun> = {}): SelftestRun {
  return aSelftestRun({
    observed: 'missed',
    firedRule: null,
    attempts: [{ seed: 1, observed: 'missed', seconds: 2, work: 900, rules: [], note: null }],
    ...overrides,
  });
}

export function anInnocent(overrides: Partial<InnocentRun> = {}): InnocentRun {
  return {
    protocol: 'bbm-early',
    engine: 'stress',
    setting: '',
    accusations: [],
    work: 640,
    unfinished: null,
    ...overrides,
  };
}

export function anAmplification(overrides: Partial<AmplificationRun> = {}): AmplificationRun {
  return {
    setting: 'reorder',
    mutant: 'no-dsb-before-tlbi',
    flags: '--reorder',
    with: {
      transitions: 3000,
      detections: 300,
      detectionsBySeed: [100, 90, 110],
      rate: { value: 0.1, lo: 0.09, hi: 0.111 },
    },
    without: {
      transitions: 3000,
      detections: 0,
      detectionsBySeed: [0, 0, 0],
      rate: { value: 0, lo: 0, hi: 0.00128 },
    },
    ratio: null,
    ratioAtLeast: 70,
    effect: 'amplified',
    unfinished: null,
    ...overrides,
  };
}

/** A clock that only engines move, by as much as they say they took. */
export interface FakeRun {
  readonly engines: Engines;
  readonly hooks: SelftestHooks;
  /** `hunt no-tlbi 7 1200`: what was asked of the engines, in order. */
  readonly asked: string[];
  readonly controller: AbortController;
}

export function fakeRun(
  answer: (
    subject: Case,
    attempt: number,
    budgetMs: number,
  ) => { took: number; attempted: Attempted },
  acquitted: Engines['acquit'] = () => Promise.resolve([]),
): FakeRun {
  const asked: string[] = [];
  const controller = new AbortController();
  const clock = { ms: 0 };
  const counts = new Map<Case, number>();
  const respond = (subject: Case, budgetMs: number): Promise<Attempted> => {
    const count = (counts.get(subject) ?? 0) + 1;
    counts.set(subject, count);
    const { took, attempted: result } = answer(subject, count, budgetMs);
    clock.ms += took;
    return Promise.resolve(result);
  };
  return {
    asked,
    controller,
    engines: {
      hunt: (subject, seed, budgetMs) => {
        asked.push(`hunt ${subject.mutant.name} ${seed} ${Math.round(budgetMs)}`);
        return respond(subject, budgetMs);
      },
      search: (subject, budgetMs) => {
        asked.push(`search ${subject.mutant.name}`);
        return respond(subject, budgetMs);
      },
      acquit: (group, seed, budgetMs) => {
        asked.push(`acquit ${group.engine} ${Math.round(budgetMs)}`);
        return acquitted(group, seed, budgetMs);
      },
      compare: () => Promise.resolve([]),
    },
    hooks: { signal: controller.signal, onProgress: () => {}, now: () => clock.ms },
  };
}

export function aPlan(cases: readonly Case[], overrides: Partial<SelftestPlan> = {}): SelftestPlan {
  return { cases, innocents: [], seeds: [7, 8, 9], timeMs: 60_000, triesAll: false, ...overrides };
}
