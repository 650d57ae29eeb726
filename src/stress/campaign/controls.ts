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
import { DEFAULT_CPU } from '../../arch/cpu-model.ts';
import { CONTROLS } from '../../mutants/control.ts';
import type { Mutant } from '../../mutants/mutant.ts';
import type { ControlResult } from '../../result/stress.ts';
import type { Rule } from '../../result/rule.ts';
import { type GroupHooks, type GroupOutcome, runGroup } from '../group/group-run.ts';
import type { GroupRequest } from '../plan/group-request.ts';
import type { PlanItem } from '../plan/group.ts';
import { busyNote, HUNT_SETTING, huntRequest, rulesSeen } from './hunt.ts';
import { loadProtocol } from '../plan/load-protocol.ts';
import type { Pins } from '../process/pinning.ts';
import type { ThreadPool } from '../group/pool.ts';
import { type ResultsArea, ROW, totalOf } from '../results/results-area.ts';
import { type Pace, QUIET_START_MS, shorterRound } from '../plan/schedule.ts';
import { recordedSigns, signsOf } from '../results/signs.ts';

const SURE = 'no-tlbi';
const RACE = 'entry-unfenced';

/** A tenth of a second on a quiet machine. It ends when seen. */
const RACE_MS = 12_000;
/** Where no time limit was given, of each. */
const RACE_UNHURRIED_MS = 30_000;
const SURE_UNHURRIED_MS = 120_000;
/** Of a campaign with a limit the controls get at most this share. */
const SHARE_MAX = 0.3;
/** The sure one gets more if it needs more: where it has not run, all the rest would prove nothing. */
const SURE_SHARE_MAX = 0.85;
/** However short the campaign is: without the sure control it can be no pass. */
const SURE_MS_MIN = 2_000;
/**
 * So many starts as guessed: with ten busy loops on two cores its threads took four of them. Without it
 * all that the command did was in vain.
 */
const SURE_STARTS = 8;
/** Where they stand in the group: the machine is the first one's, so that must have no bug in it. */
const ITEM = { sure: 0, twin: 1, race: 2 } as const;
/** Per round, on a quiet machine. */
const TRANSITIONS = 64;
/** On a busy one, at least: in two transitions not even the sure one was seen every time. */
const TRANSITIONS_MIN = 8;
const QUIET: Pace = { startMs: QUIET_START_MS };
/**
 * Of that time a start may take: where it takes more, the race would be tried once or twice, for half a
 * second.
 */
const RACE_START_SHARE = 0.5;
/** Of the twin, at least. */
const TWIN_ROUNDS_MIN = 8;

/** Known before it has run: what a run without it has not shown. */
const RACE_STANDS_FOR =
  'not shown here: that a race between a vCPU entering the guest and a TLBI would be seen';

export interface Controls {
  /** Empty if they were interrupted: then they have shown nothing, in either direction. */
  readonly results: readonly ControlResult[];
  readonly pace: Pace;
}

/**
 * All in one group, because what takes long on a busy machine is starting threads: an item runs no
 * more when it has been caught, and the twin goes on until it has had its rounds.
 */
export async function runControls(
  pool: ThreadPool,
  seed: number,
  pins: Pins,
  budgetMs: number | null,
  hooks: GroupHooks,
  guessed: Pace = QUIET,
): Promise<Controls> {
  const sure = mutantNamed(SURE);
  const race = mutantNamed(RACE);
  const limitMs =
    budgetMs === null
      ? RACE_UNHURRIED_MS
      : Math.max(SURE_MS_MIN, Math.min(RACE_MS, budgetMs * SHARE_MAX));
  const isRaced = guessed.startMs <= RACE_START_SHARE * limitMs;
  const hunted = [
    { mutant: sure, item: ITEM.sure },
    ...(isRaced ? [{ mutant: race, item: ITEM.race }] : []),
  ].map((each) => ({ ...each, signs: signsOf(expectedOf(each.mutant)) }));
  const caughtMs = new Map<number, number>();
  const rules = [...new Set(hunted.flatMap(({ mutant }) => expectedOf(mutant)))];
  const request: GroupRequest = {
    ...huntRequest({
      // As `ITEM` says. The sure one first: until it is caught all the rest is in vain. The race last:
      // a run without it says what it has not shown, one without the twin says nothing.
      items: [itemOf(sure), twinOf(race), ...(isRaced ? [itemOf(race)] : [])],
      transitions: Math.max(TRANSITIONS_MIN, shorterRound(TRANSITIONS, guessed)),
      setting: { ...HUNT_SETTING, racesEntry: true },
      ...{ rules, stopsAtSign: false, seed, pins, budgetMs: null },
    }),
    retiresAtSign: true,
    omitsBaseline: true,
    ...(isRaced ? {} : { naps: true }),
  };
  const startedMs = performance.now();
  const outcome = await runGroup(pool, request, hooks, {
    budgetMs: limitMs,
    // Until then it is over when `isDone` says so.
    roundsMin: Infinity,
    lastMs: sureLastMs(budgetMs, guessed),
    isDone: (arena, results) => {
      for (const { item, signs } of hunted) {
        if (caughtMs.has(item) || recordedSigns(arena, item, signs) === 0) continue;
        caughtMs.set(item, performance.now() - startedMs);
      }
      const twinRounds = roundsOf(results, ITEM.twin);
      // The race may be missed. The sure control there must be, and a round of the twin.
      const isLate = performance.now() - startedMs >= limitMs;
      if (isLate) return caughtMs.has(ITEM.sure) && twinRounds > 0;
      const needed = twinRoundsFor(roundsOf(results, ITEM.race));
      return caughtMs.size === hunted.length && twinRounds >= needed;
    },
  });
  const pace = { startMs: outcome.readyMs ?? Math.max(limitMs, outcome.elapsedMs) };
  if (hooks.signal.aborted) return { results: [], pace };
  if (outcome.end.kind === 'failed') throw new Error(outcome.end.why);
  const twin = {
    rules: await seenIn(request, outcome, ITEM.twin, null, race.twin),
    transitions: totalOf(outcome.results, ITEM.twin, ROW.transitions),
  };
  const results = hunted.map(async ({ mutant, item }) =>
    resultOf(mutant, {
      outcome,
      item,
      seen: await seenIn(request, outcome, item, mutant),
      seconds: (caughtMs.get(item) ?? outcome.elapsedMs) / 1000,
      twin,
    }),
  );
  const shown = await Promise.all(results);
  return { results: isRaced ? shown : [...shown, notTried(race, twin)], pace };
}

/** Until then the sure control and its twin may wait for their first rounds. */
export function sureLastMs(budgetMs: number | null, { startMs }: Pace = QUIET): number {
  const shareMs = budgetMs === null ? SURE_UNHURRIED_MS : budgetMs * SURE_SHARE_MAX;
  return Math.max(2 * SURE_MS_MIN, shareMs, SURE_STARTS * startMs);
}

/** The chance of a false accusation must be at least that of the true one. */
export function twinRoundsFor(rounds: number): number {
  return Math.max(TWIN_ROUNDS_MIN, 2 * rounds);
}

const roundsOf = (results: ResultsArea, item: number): number => totalOf(results, item, ROW.round);

function mutantNamed(name: string): Mutant {
  const mutant = CONTROLS.find((m) => m.name === name);
  if (mutant === undefined) throw new Error(`no control is called ${name}`);
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

interface Shown {
  readonly outcome: GroupOutcome;
  readonly item: number;
  readonly seen: readonly Rule[];
  readonly seconds: number;
  readonly twin: Twin;
}

function resultOf(mutant: Mutant, { outcome, item, seen, seconds, twin }: Shown): ControlResult {
  const rule = caughtBy(mutant, seen);
  const others = seen.filter((r) => r !== rule);
  const busy = busyNote(outcome, item);
  const transitions = totalOf(outcome.results, item, ROW.transitions);
  return {
    name: mutant.name,
    rule: rule ?? (mutant.rule as Rule),
    caught: rule !== null,
    twinClean: twin.rules.length === 0,
    ...(mutant.name === RACE && rule === null ? { standsFor: RACE_STANDS_FOR } : {}),
    seconds,
    detail: [
      mutant.what,
      rule !== null
        ? `caught after ${transitions} transitions`
        : `not caught in ${transitions} transitions${busy === null ? '' : `: ${busy}`}`,
      ...(others.length > 0 ? [`also fired: ${others.join(', ')}`] : []),
      twinText(mutant, twin),
    ].join('; '),
  };
}

function notTried(race: Mutant, twin: Twin): ControlResult {
  return {
    name: race.name,
    rule: race.rule as Rule,
    caught: false,
    twinClean: twin.rules.length === 0,
    standsFor: RACE_STANDS_FOR,
    seconds: 0,
    detail: [
      race.what,
      'not tried: the machine is so busy that threads may take most of its time to start',
      twinText(race, twin),
    ].join('; '),
  };
}

const twinText = ({ twin: name }: Mutant, { rules, transitions }: Twin): string =>
  rules.length === 0
    ? `${name} clean over ${transitions}`
    : `${name} ACCUSED of ${rules.join(', ')}`;
