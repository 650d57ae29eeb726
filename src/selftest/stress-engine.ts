/** Hunts, acquittals and comparisons on real threads: the half of `Engines` that `stress` does. */
import type { MachineBug, Protocol } from '../port/index.ts';
import type { AmplificationRun, InnocentRun, SelftestAttempt } from '../result/selftest.ts';
import { type Rule, RULES } from '../result/rule.ts';
import type { StressRun } from '../result/stress.ts';
import { type GroupHooks, runGroup } from '../stress/group/group-run.ts';
import type { PlanItem } from '../stress/plan/group.ts';
import {
  busyText,
  huntRequest,
  huntRow,
  type HuntSetting,
  rulesSeen,
} from '../stress/campaign/hunt.ts';
import type { Pins } from '../stress/process/pinning.ts';
import type { ThreadPool } from '../stress/group/pool.ts';
import { ROW, totalOf } from '../stress/results/results-area.ts';
import { amplificationRun, type Comparison, Count, isSaturated } from './amplification.ts';
import { type Case, protocolNamed } from './cases.ts';
import type { Attempted, Engines, ExploreCommandProblem } from './engines.ts';
import type { InnocentGroup } from './innocents.ts';
import { reportProblems } from './report-quality.ts';

export interface StressEngineOptions {
  readonly pool: ThreadPool;
  readonly pins: Pins;
  readonly exploreProblem: ExploreCommandProblem;
  readonly hooks: GroupHooks;
}

/** What the operations of a protocol break shows in its first transitions. */
const OPERATIONS_ROUNDS = 2;

const NO_TRANSITION = 'no transition ran';

export type StressEngine = Pick<Engines, 'hunt' | 'acquit' | 'compare'>;

export function createStressEngine(options: StressEngineOptions): StressEngine {
  const { pool, pins, hooks } = options;

  async function hunt(hunted: Case, seed: number, budgetMs: number): Promise<Attempted> {
    const observes = hunted.by === 'observation';
    const request = huntRequest({
      items: [itemOf(hunted)],
      setting: hunted.setting,
      rules: hunted.why === null ? hunted.rules : RULES,
      stopsAtSign: observes,
      seed,
      pins,
      budgetMs,
      ...(observes ? {} : { roundsMax: OPERATIONS_ROUNDS }),
    });
    const outcome = await runGroup(pool, request, hooks);
    if (outcome.end.kind === 'failed') return { kind: 'failed', why: firstLine(outcome.end.why) };
    const { protocol, mutant } = hunted;
    const second = secondOf(hunted.setting);
    const row = huntRow(request, outcome, 0, protocol, mutant, second);
    const all = [...new Set(row.violations.map((v) => v.rule))];
    const rules = observes ? rulesSeen(request, outcome, 0, protocol, mutant, second) : all;
    const fired = firstOf(hunted, rules);
    if (fired === null && outcome.end.kind === 'interrupted') return { kind: 'interrupted' };
    if (fired === null && row.transitions === 0) return { kind: 'failed', why: NO_TRANSITION };
    const attempt: SelftestAttempt = {
      seed,
      observed: fired === null ? 'missed' : 'caught',
      seconds: outcome.elapsedMs / 1000,
      work: row.transitions,
      rules,
      note: fired === null && observes ? busyText(row.rounds, row.roundsDropped) : null,
    };
    const reported = row.violations.find((v) => v.rule === fired);
    const problems =
      reported === undefined ? [] : await reportProblems(reported, options.exploreProblem);
    return { kind: 'done', attempt, fired, reportProblems: problems };
  }

  async function acquit(
    group: InnocentGroup,
    seed: number,
    budgetMs: number,
  ): Promise<readonly InnocentRun[]> {
    const request = huntRequest({
      items: group.innocents.map(({ protocol, cpu }) => ({
        protocol: { from: 'built-in', name: protocol.name },
        cpu,
        bug: null,
      })),
      setting: group.setting,
      rules: [],
      stopsAtSign: false,
      seed,
      pins,
      budgetMs,
    });
    const outcome = await runGroup(pool, request, hooks);
    const { end } = outcome;
    if (end.kind === 'interrupted') return [];
    return group.innocents.map(({ protocol }, item) => {
      const row = huntRow(request, outcome, item, protocol, null, secondOf(group.setting));
      return {
        protocol: protocol.name,
        engine: 'stress',
        setting: group.flags,
        accusations: row.verdict === 'fail' ? row.violations.map(accusation) : [],
        work: row.transitions,
        unfinished:
          end.kind === 'failed'
            ? firstLine(end.why)
            : row.verdict === 'inconclusive'
              ? notJudged(row)
              : null,
      };
    });
  }

  /** Adds one seed to `count`, unless the threads were stopped. */
  async function countDetections(
    { hunted, rounds }: Comparison,
    setting: HuntSetting,
    seed: number,
    count: Count,
  ): Promise<'counted' | 'interrupted' | { readonly why: string }> {
    const request = huntRequest({
      items: [itemOf(hunted)],
      setting,
      rules: hunted.rules,
      stopsAtSign: false,
      seed,
      pins,
      budgetMs: null,
      roundsMax: rounds,
      transitions: 1,
    });
    const { end, results } = await runGroup(pool, request, hooks);
    if (end.kind === 'interrupted') return 'interrupted';
    count.add(totalOf(results, 0, ROW.transitions), totalOf(results, 0, ROW.signed));
    return end.kind === 'failed' ? { why: firstLine(end.why) } : 'counted';
  }

  async function compare(comparison: Comparison): Promise<readonly AmplificationRun[]> {
    const { variants, without, seeds } = comparison;
    const plain = new Count();
    const sides = variants.map((variant) => ({ variant, count: new Count() }));
    const ended = (unfinished: string | null): readonly AmplificationRun[] =>
      sides.map(({ variant, count }) =>
        amplificationRun(comparison, variant, count, plain, unfinished),
      );
    for (const [i, seed] of seeds.entries()) {
      // In turns, forwards and backwards: drift of the machine's speed falls on all sides alike.
      const turn = [{ setting: without, count: plain }].concat(
        sides.map(({ variant, count }) => ({ setting: variant.setting, count })),
      );
      for (const { setting, count } of i % 2 === 0 ? turn : turn.toReversed()) {
        const counted = await countDetections(comparison, setting, seed, count);
        if (counted === 'interrupted') return [];
        if (counted !== 'counted') return ended(counted.why);
        if (i === 0 && count === plain && isSaturated(plain)) return ended(null);
      }
    }
    return ended(null);
  }

  return { hunt, acquit, compare };
}

/** Of the expected rules the first that fired; of an engine that need not catch it any. */
function firstOf({ why, rules }: Case, fired: readonly Rule[]): Rule | null {
  const wanted = why === null ? rules : fired;
  return wanted.find((rule) => fired.includes(rule)) ?? null;
}

function secondOf({ against }: HuntSetting): Protocol | null {
  return against === null ? null : protocolNamed(against);
}

function itemOf({ mutant, cpu }: Case): PlanItem {
  const bug: MachineBug | null = mutant.seed.kind === 'machine' ? mutant.seed.bug : null;
  return { protocol: { from: 'mutant', name: mutant.name }, cpu, bug };
}

function accusation({ rule, why }: StressRun['violations'][number]): { rule: Rule; why: string } {
  return { rule, why };
}

function notJudged({ notes, transitions }: StressRun): string {
  return transitions === 0 ? NO_TRANSITION : (notes[0] ?? 'nothing to judge');
}

/** What a thread died of, without its stack: one line of a report. */
function firstLine(why: string): string {
  return why.split('\n')[0] as string;
}
