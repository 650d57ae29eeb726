/**
 * Positive controls: proof, in every run, that the checker of this very process on this very
 * machine can fail.
 *
 *   no-tlbi          a protocol without its TLBI; deterministic, found within the first transitions
 *   entry-unfenced   a vCPU that enters the guest without a fence: a real memory-ordering race
 *                    that the hardware must produce, found by stress alone
 *
 * Each also runs its correct twin under the same settings, for at least twice as many rounds as it
 * took itself, which must not be accused. A control that is missed makes the verdict of the whole run
 * inconclusive: a pass would prove nothing.
 */
import { DEFAULT_CPU } from '../arch/cpu-model.ts';
import { type Catch, MUTANTS, type Mutant } from '../mutants/index.ts';
import type { ControlResult } from '../result/stress.ts';
import type { Rule } from '../result/rule.ts';
import { type GroupHooks, type GroupOutcome, runGroup } from './group-run.ts';
import type { PlanItem } from './group.ts';
import { busyNote, type Hunt, HUNT_SETTING, huntRequest, rulesSeen } from './hunt.ts';
import { loadProtocol } from './load-protocol.ts';
import type { Pins } from './pinning.ts';
import type { ThreadPool } from './pool.ts';
import { ROW, totalOf } from './results-area.ts';

/** By name, with the time each gets in a campaign that has a limit. The settings are the mutant's. */
const CONTROLS = [
  { mutant: 'no-tlbi', budgetMs: 2_000 },
  { mutant: 'entry-unfenced', budgetMs: 12_000 },
] as const;
/** A twin's time is for its rounds, which a busy machine may not get done in it. */
const TWIN_BUDGET_MS = 700;
const TWIN_ROUNDS_MIN = 32;
const SHARE_MAX = 0.5;
/** Where no time limit was given a loaded machine gets this long to show a race. It ends when seen. */
const UNHURRIED_MS = 30_000;

interface Control {
  readonly mutant: Mutant;
  readonly catches: Catch;
  readonly budgetMs: number;
}

export async function runControls(
  pool: ThreadPool,
  seed: number,
  pins: Pins,
  budgetMs: number | null,
  hooks: GroupHooks,
): Promise<readonly ControlResult[]> {
  const results: ControlResult[] = [];
  // In a short campaign the controls get at most this share of it.
  const most =
    budgetMs === null ? Number.POSITIVE_INFINITY : (budgetMs * SHARE_MAX) / CONTROLS.length;
  for (const { mutant, budgetMs: usualMs } of CONTROLS) {
    if (hooks.signal.aborted) break;
    const control = {
      ...controlOf(mutant),
      budgetMs: budgetMs === null ? UNHURRIED_MS : Math.min(usualMs, most),
    };
    const result = await runControl(pool, control, { seed, pins }, hooks);
    // An interrupted control has shown nothing, in either direction.
    if (!hooks.signal.aborted) results.push(result);
  }
  return results;
}

function controlOf(name: string): Pick<Control, 'mutant' | 'catches'> {
  const mutant = MUTANTS.find((m) => m.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
  const catches = mutant.caughtBy.find(({ engine }) => engine === 'stress');
  if (catches === undefined) throw new Error(`stress need not catch ${name}`);
  return { mutant, catches };
}

async function runControl(
  pool: ThreadPool,
  control: Control,
  where: Pick<Hunt, 'seed' | 'pins'>,
  hooks: GroupHooks,
): Promise<ControlResult> {
  const { mutant, catches } = control;
  const broken = await hunted(pool, control, mutant, where, control.budgetMs, hooks);
  const rounds = twinRounds(totalOf(broken.outcome.results, 0, ROW.round));
  const twin = await hunted(pool, control, null, where, TWIN_BUDGET_MS, hooks, rounds);
  const expected = catches.rules as readonly Rule[];
  const rule = expected.find((r) => broken.rules.includes(r)) ?? (mutant.rule as Rule);
  const caught = broken.rules.includes(rule);
  const others = broken.rules.filter((r) => r !== rule);
  const busy = busyNote(broken.outcome, 0);
  return {
    name: mutant.name,
    rule,
    caught,
    twinClean: twin.rules.length === 0,
    seconds: broken.outcome.elapsedMs / 1000,
    detail: [
      mutant.what,
      caught
        ? `caught after ${transitionsOf(broken.outcome)} transitions`
        : `not caught in ${transitionsOf(broken.outcome)} transitions${busy === null ? '' : `: ${busy}`}`,
      ...(others.length > 0 ? [`also fired: ${others.join(', ')}`] : []),
      twin.rules.length === 0
        ? `${mutant.twin} clean over ${transitionsOf(twin.outcome)}`
        : `${mutant.twin} ACCUSED of ${twin.rules.join(', ')}`,
    ].join('; '),
  };
}

/** The chance of a false accusation must be at least that of the true one. */
export function twinRounds(rounds: number): number {
  return Math.max(TWIN_ROUNDS_MIN, 2 * rounds);
}

interface Hunted {
  readonly outcome: GroupOutcome;
  readonly rules: readonly Rule[];
}

/** The mutant itself, or its correct twin under the same settings. Throws if a thread failed. */
async function hunted(
  pool: ThreadPool,
  { mutant, catches }: Control,
  wrong: Mutant | null,
  where: Pick<Hunt, 'seed' | 'pins'>,
  budgetMs: number,
  hooks: GroupHooks,
  roundsMax = Number.MAX_SAFE_INTEGER,
): Promise<Hunted> {
  const item: PlanItem =
    wrong === null
      ? { protocol: { from: 'built-in', name: mutant.twin }, cpu: DEFAULT_CPU, bug: null }
      : {
          protocol: { from: 'mutant', name: wrong.name },
          cpu: DEFAULT_CPU,
          bug: wrong.seed.kind === 'machine' ? wrong.seed.bug : null,
        };
  const request = huntRequest({
    items: [item],
    setting: { ...HUNT_SETTING, racesEntry: catches.racesEntry ?? false },
    rules: catches.rules as readonly Rule[],
    stopsAtSign: true,
    ...where,
    budgetMs,
    roundsMax,
  });
  const outcome = await runGroup(pool, request, hooks);
  if (outcome.end.kind === 'failed') throw new Error(outcome.end.why);
  const protocol = await loadProtocol(item.protocol);
  return { outcome, rules: rulesSeen(request, outcome, 0, protocol, wrong) };
}

const transitionsOf = (outcome: GroupOutcome): number =>
  totalOf(outcome.results, 0, ROW.transitions);
