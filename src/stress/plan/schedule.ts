/**
 * How a campaign spends its time. On a quiet machine a start of a group's threads takes a tenth of a
 * second or two and rounds take all the rest; on a busy one a start takes seconds (docs/speed.md), and
 * a plan that does not know this ends with threads started and nothing measured.
 *
 * So time is spent in an order: a floor of rounds for each row, then what else a row's share allows,
 * then further starts. Where it is short, starts go from four to two to one, then rounds get shorter,
 * and only then groups are left out, by name. Pure.
 */
import { roundAfter } from './group.ts';
import type { PlannedGroup } from './planned-group.ts';

/** What a start costs here and now. */
export interface Pace {
  /** From asking for two threads until both are ready for their first round. */
  readonly startMs: number;
}

/** After another start, of `vcpus` + 1 threads: what others do to the machine changes. */
export function paceAfter(pace: Pace, vcpus: number, readyMs: number | null): Pace {
  if (readyMs === null) return pace;
  return { startMs: (pace.startMs + (2 * readyMs) / (vcpus + 1)) / 2 };
}

/** A start of two threads on a machine that does nothing else. */
export const QUIET_START_MS = 300;

/** From here on a group's threads are started while the one before runs (starter.ts). */
export const BUSY_START_MS = 3 * QUIET_START_MS;
/** Of such a start what the next group still waits for. */
const AHEAD_SHARE = 0.4;

/** From the command's start to a campaign's, on a quiet machine. */
const QUIET_AGE_MS = 500;
const LATE_MS = 2 * QUIET_AGE_MS;

/** A command that took so long to get here is on a busy machine, or a slow one. */
export const isLate = (agedMs = 0): boolean => agedMs >= LATE_MS;

/** Of the CPUs' time, that other programs have. */
const CROWDED_SHARE = 0.5;

/** Late because others have the CPUs: there a thread's start takes longer than all that it is to do. */
export const isCrowded = (agedMs: number | undefined, othersShare: number): boolean =>
  isLate(agedMs) && othersShare > CROWDED_SHARE;

/**
 * Until a start has been seen: who took six times as long to get here starts threads as slowly; in a
 * crowd twice as slowly, because several threads of ours that start at once share what one has had (ten
 * loops on two cores: 1.7 to 2.6 s, where the half was guessed).
 */
export function guessedPace(agedMs = 0, crowded = false): Pace {
  if (!isLate(agedMs)) return { startMs: QUIET_START_MS };
  return { startMs: ((crowded ? 2 : 1) * QUIET_START_MS * agedMs) / QUIET_AGE_MS };
}

/** What a start costs the campaign. */
export function costOf({ startMs }: Pace): Pace {
  return { startMs: startMs >= BUSY_START_MS ? AHEAD_SHARE * startMs : startMs };
}

/** Starts may take so much of the time that is left; the rest is to measure in. */
const STARTS_SHARE = 0.4;
/** Of the threads of a group that ends, beside what it measured. */
const END_SHARE = 0.3;
/** Rounds of transitions each row has before time is spent on anything else. */
const ROUNDS_FLOOR = 20;
/** A start may turn out cheaper than the last one; not by more than this. */
const HOPELESS = 0.6;
/** For the rounds of the one group that runs although its time is over. */
const LAST_RESORT_MS = 500;
/** Its rounds of each row: a start costs more than all of them, and one round shows next to nothing. */
const LAST_RESORT_ROUNDS = 5;
/** How long it goes on for them beyond its end. */
const LAST_ROUNDS_MS = 1000;
/** What a row needs after its start to say anything. */
const ROW_MS_MIN = 100;

/** Of threads that load what the first two have loaded as well. */
export function startOf({ vcpus }: Pick<PlannedGroup, 'vcpus'>, { startMs }: Pace): number {
  return (startMs * (vcpus + 1)) / 2;
}

/** Of `wanted` starts of each group so many as leave time to measure in: 4, 2 or 1, for one. */
export function startsThatFit(
  wanted: number,
  groups: readonly PlannedGroup[],
  pace: Pace,
  leftMs: number | null,
): number {
  if (leftMs === null) return wanted;
  const each = groups.reduce((sum, group) => sum + startOf(group, pace), 0);
  let starts = wanted;
  while (starts > 1 && starts * each > STARTS_SHARE * leftMs) starts = Math.floor(starts / 2);
  return starts;
}

/**
 * Of `transitions` per round so many as a machine of this pace gets done in a short round. With ten
 * others on two CPUs a transition takes 30 to 40 ms: each waits until its vCPU is given a CPU.
 */
export function shorterRound(transitions: number, { startMs }: Pace): number {
  const slower = startMs / QUIET_START_MS;
  const shorter = slower < 4 ? 1 : slower < 6 ? 2 : slower < 8 ? 8 : 32;
  return Math.max(1, Math.floor(transitions / shorter));
}

export interface Slot {
  /** Until then it measures; its start counts. */
  readonly budgetMs: number;
  /** Rounds with transitions it has even if that takes longer. */
  readonly roundsMin: number;
  /** It ends then at the latest, so that the others get theirs. */
  readonly lastMs: number;
  /** Of one that must run: what it goes on for even then (group-request.ts). */
  readonly atLeast?: { readonly rounds: number; readonly ms: number };
}

export interface Turn {
  readonly group: PlannedGroup;
  /** Relative to the other turns. */
  readonly weight: number;
}

/**
 * The time of the first of `turns`, the others to come after it; null if not even its threads would
 * have started, unless it must run: a campaign of which nothing has run says nothing at all. `starts`: of
 * each group, this one included.
 */
export function slotOf(
  turns: readonly [Turn, ...Turn[]],
  starts: number,
  pace: Pace,
  leftMs: number,
  mustRun = false,
): Slot | null {
  const [{ group, weight }, ...others] = turns;
  const least = (g: PlannedGroup): number =>
    (1 + END_SHARE) * startOf(g, pace) + g.items.length * ROW_MS_MIN;
  // Further starts may be left out, a group may not.
  const due = others.filter((turn) => turn.group.repeat === 0);
  const reservedMs = due.reduce((sum, turn) => sum + least(turn.group), 0);
  const weights = turns.reduce((sum, turn) => sum + turn.weight, 0);
  const endMs = END_SHARE * startOf(group, pace);
  const lastMs = leftMs - reservedMs - endMs;
  const startMs = startOf(group, pace);
  const leastRounds = roundAfter(LAST_RESORT_ROUNDS * group.items.length) - 1;
  if (leftMs < HOPELESS * startMs) {
    if (!mustRun) return null;
    return {
      budgetMs: 50,
      roundsMin: leastRounds,
      lastMs: 2 * startMs + LAST_RESORT_MS,
    };
  }
  // What does not fit in its share begins later and is shorter: the start is everybody's cost.
  const startsMs = turns.reduce((sum, turn) => sum + startOf(turn.group, pace), 0);
  const shareMs = startMs + Math.max(0, leftMs - startsMs) * (weight / weights) - endMs;
  const floor = group.repeat === 0 ? ROUNDS_FLOOR : Math.ceil(ROUNDS_FLOOR / starts);
  const slot = {
    budgetMs: Math.max(50, shareMs),
    roundsMin: floor * group.items.length,
    lastMs: Math.max(startMs + ROW_MS_MIN, shareMs, lastMs),
  };
  if (!mustRun) return slot;
  const endsMs = Math.max(slot.lastMs, 1.5 * startMs + LAST_RESORT_MS);
  return { ...slot, lastMs: endsMs, atLeast: { rounds: leastRounds, ms: endsMs + LAST_ROUNDS_MS } };
}
