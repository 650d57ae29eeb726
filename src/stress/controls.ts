/**
 * Positive controls: proof, in every run, that the checker of this very process on this very
 * machine can fail.
 *
 *   no-tlbi          a protocol without its TLBI; deterministic, found within the first transitions
 *   entry-unfenced   a vCPU that enters the guest without a fence: a real memory-ordering race
 *                    that the hardware must produce, found by stress alone
 *
 * Their correct twin runs under the same settings, for at least twice as many rounds as either of them
 * took, and must not be accused.
 *
 * What a missed control means differs. Without the first nothing shows that the checker can fail, and
 * a pass would prove nothing. The second needs two threads at work in the same tenth of a microsecond,
 * which a machine that others use too may not give within any bound: then the run is judged without
 * what it stands for, and says so.
 */
import { DEFAULT_CPU } from '../arch/cpu-model.ts';
import { MUTANTS, type Mutant } from '../mutants/index.ts';
import type { ControlResult } from '../result/stress.ts';
import type { Rule } from '../result/rule.ts';
import { type GroupHooks, type GroupOutcome, type GroupRequest, startGroup } from './group-run.ts';
import type { PlanItem } from './group.ts';
import { busyNote, type Hunt, HUNT_SETTING, huntRequest, roundsFor, rulesSeen } from './hunt.ts';
import { loadProtocol } from './load-protocol.ts';
import type { Pins } from './pinning.ts';
import type { ThreadPool } from './pool.ts';
import { ROW, totalOf } from './results-area.ts';
import { type Pace, QUIET_START_MS } from './schedule.ts';

const SURE = 'no-tlbi';
const RACE = 'entry-unfenced';

/** A fifth of a second on a quiet machine. It ends when seen. */
const RACE_MS = 12_000;
/** Where no time limit was given. */
const RACE_UNHURRIED_MS = 30_000;
/** Of a campaign with a limit the race gets at most this share. */
const RACE_SHARE = 0.25;
/** However short the campaign is: without this control it can be no pass. */
const SURE_MS_MIN = 2_000;
/** For as many rounds as fit. A busy machine takes longer for those that must be. */
const TWIN_MS = 150;
const TWIN_ROUNDS_MIN = 8;

/** Known before it has run: what a run without it has not shown. */
const RACE_STANDS_FOR =
  'not shown here: that a race between a vCPU entering the guest and a TLBI would be seen';

export interface Controls {
  /** Empty if they were interrupted: then they have shown nothing, in either direction. */
  readonly results: readonly ControlResult[];
  readonly pace: Pace;
}

export async function runControls(
  pool: ThreadPool,
  seed: number,
  pins: Pins,
  budgetMs: number | null,
  hooks: GroupHooks,
): Promise<Controls> {
  const where = { seed, pins };
  const raceMs = budgetMs === null ? RACE_UNHURRIED_MS : Math.min(RACE_MS, budgetMs * RACE_SHARE);
  const last = budgetMs === null ? {} : { lastMs: Math.max(SURE_MS_MIN, budgetMs * RACE_SHARE) };
  const race = mutantNamed(RACE);
  const sure = mutantNamed(SURE);
  const raceRequest = requestOf(where, [itemOf(race)], race, true);
  const sureRequest = requestOf(where, [itemOf(sure), twinOf(sure)], sure, false);
  // Nobody takes times here, so both may start at once: on a busy machine starts are what takes long.
  const racing = startGroup(pool, raceRequest);
  const other = startGroup(pool, sureRequest);

  const raced = await settled(racing.run(hooks, { budgetMs: raceMs }), () => other.cancel());
  const pace = { startMs: raced.firstRoundMs ?? QUIET_START_MS };
  if (hooks.signal.aborted) {
    await other.cancel();
    return { results: [], pace };
  }
  const rules = await seenIn(raceRequest, raced, 0, race);
  const caught = caughtBy(race, rules);
  const twinRounds = twinRoundsFor(caught === null ? 0 : totalOf(raced.results, 0, ROW.round));
  const judged = await settled(
    other.run(hooks, { budgetMs: TWIN_MS, roundsMin: roundsFor(2 * twinRounds), ...last }),
    () => Promise.resolve(),
  );
  if (hooks.signal.aborted) return { results: [], pace };
  const sureRules = await seenIn(sureRequest, judged, 0, sure);
  const twin = {
    rules: await seenIn(sureRequest, judged, 1, null, sure.twin),
    transitions: totalOf(judged.results, 1, ROW.transitions),
  };
  const results = [resultOf(sure, judged, sureRules, twin), resultOf(race, raced, rules, twin)];
  return { results, pace };
}

/** The chance of a false accusation must be at least that of the true one. */
export function twinRoundsFor(rounds: number): number {
  return Math.max(TWIN_ROUNDS_MIN, 2 * rounds);
}

function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((m) => m.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
  return mutant;
}

function expectedOf({ name, caughtBy }: Mutant): readonly Rule[] {
  const catches = caughtBy.find(({ engine }) => engine === 'stress');
  if (catches === undefined) throw new Error(`stress need not catch ${name}`);
  return catches.rules as readonly Rule[];
}

/** What a bug of the machine runs is its correct twin. */
const itemOf = (mutant: Mutant): PlanItem =>
  mutant.seed.kind === 'machine'
    ? { ...twinOf(mutant), bug: mutant.seed.bug }
    : { ...twinOf(mutant), protocol: { from: 'mutant', name: mutant.name } };

const twinOf = ({ twin }: Mutant): PlanItem => ({
  protocol: { from: 'built-in', name: twin },
  cpu: DEFAULT_CPU,
  bug: null,
});

/** The twin serves both, so both run as what is hard to see needs it. */
function requestOf(
  where: Pick<Hunt, 'seed' | 'pins'>,
  items: readonly PlanItem[],
  mutant: Mutant,
  stopsAtSign: boolean,
): GroupRequest {
  const setting = { ...HUNT_SETTING, racesEntry: true };
  const rules = expectedOf(mutant);
  return huntRequest({ items, setting, rules, stopsAtSign, ...where, budgetMs: null });
}

/** Throws if a thread failed, when what was started beside it has ended. */
async function settled(
  running: Promise<GroupOutcome>,
  cancel: () => Promise<void>,
): Promise<GroupOutcome> {
  try {
    const outcome = await running;
    if (outcome.end.kind !== 'failed') return outcome;
    throw new Error(outcome.end.why);
  } catch (error) {
    await cancel();
    throw error;
  }
}

async function seenIn(
  request: GroupRequest,
  outcome: GroupOutcome,
  item: number,
  mutant: Mutant | null,
  protocol = mutant?.name ?? '',
): Promise<readonly Rule[]> {
  const from = mutant === null ? 'built-in' : 'mutant';
  const loaded = await loadProtocol({ from, name: protocol });
  return rulesSeen(request, outcome, item, loaded, mutant);
}

/** The rule it was caught by; null if it was not. */
function caughtBy(mutant: Mutant, seen: readonly Rule[]): Rule | null {
  return expectedOf(mutant).find((rule) => seen.includes(rule)) ?? null;
}

interface Twin {
  readonly rules: readonly Rule[];
  readonly transitions: number;
}

function resultOf(
  mutant: Mutant,
  outcome: GroupOutcome,
  seen: readonly Rule[],
  twin: Twin,
): ControlResult {
  const rule = caughtBy(mutant, seen);
  const others = seen.filter((r) => r !== rule);
  const busy = busyNote(outcome, 0);
  const transitions = totalOf(outcome.results, 0, ROW.transitions);
  return {
    name: mutant.name,
    rule: rule ?? (mutant.rule as Rule),
    caught: rule !== null,
    twinClean: twin.rules.length === 0,
    ...(mutant.name === RACE && rule === null ? { standsFor: RACE_STANDS_FOR } : {}),
    seconds: outcome.elapsedMs / 1000,
    detail: [
      mutant.what,
      rule !== null
        ? `caught after ${transitions} transitions`
        : `not caught in ${transitions} transitions${busy === null ? '' : `: ${busy}`}`,
      ...(others.length > 0 ? [`also fired: ${others.join(', ')}`] : []),
      twin.rules.length === 0
        ? `${mutant.twin} clean over ${twin.transitions}`
        : `${mutant.twin} ACCUSED of ${twin.rules.join(', ')}`,
    ].join('; '),
  };
}
