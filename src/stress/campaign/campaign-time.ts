/**
 * The time of one campaign: until when it measures, what it keeps for its end, and what a start costs
 * here and now, as far as it knows. What it is spent on is in plan/schedule.ts.
 */
import type { StressOptions } from '../plan/plan.ts';
import type { PlannedGroup } from '../plan/planned-group.ts';
import { budgetOf, isPortfolio } from '../plan/portfolio.ts';
import { type GroupTask, leftOf } from '../plan/resume.ts';
import {
  BUSY_START_MS,
  costOf,
  guessedPace,
  type Pace,
  paceAfter,
  QUIET_START_MS,
  type Slot,
  slotOf,
  startsThatFit,
} from '../plan/schedule.ts';

/** Kept for the end of a campaign: grading, writing, and as much again for each start that is slow. */
const TAIL_MS = 400;
const TAIL_SHARE = 0.3;

/** What a busy machine may have beside the default time, if nobody said how long it may take. */
const STRETCH_MS = 12_000;
/** Beyond the time asked for, where it is all that is left to measure in; 3 s are allowed. */
const OVERRUN_MS = 2_000;
/** In a crowd, where threads that run already run the rows, and rounds take a twentieth of a second. */
const CROWDED_OVERRUN_MS = 1_000;
const isStretchable = (options: StressOptions): boolean =>
  isPortfolio(options) && options.rounds === null && !options.explicit.includes('timeMs');

/** Wherever a time is null, rounds end the campaign. */
export interface CampaignTime {
  /** As it was asked for, before anybody knew how busy the machine is. */
  readonly askedMs: number | null;
  /** Since the command began. */
  doneMs: () => number;
  /** Of the whole campaign. */
  wholeMs: () => number | null;
  /** To measure in. */
  leftMs: () => number | null;
  pace: () => Pace;
  /** Of each group; fewer than were asked for where there is no time for them. */
  starts: () => number;
  /** The first threads have started, and this is what it cost: the rest is planned by it. */
  controlsShown: (pace: Pace) => void;
  /** Another group's threads have. */
  groupStarted: (vcpus: number, readyMs: number | null) => void;
  /** Of the first of these turns; null if there is none left for it, and nothing must run. */
  slotOf: (
    turns: readonly [GroupTask, ...GroupTask[]],
    leftMs: number,
    mustRun: boolean,
  ) => Slot | null;
}

export function createCampaignTime(
  options: StressOptions,
  planned: readonly PlannedGroup[],
  startedMs: number,
  agedMs: number | undefined,
  crowded: boolean,
): CampaignTime {
  const { resume, repeats } = options;
  const askedMs = budgetOf(options, planned);
  // The controls are this process's own: what earlier parts left is for groups.
  const keptMs = resume === undefined || resume.ownTime ? null : leftOf(resume.earlier.campaign);
  let tailMs = TAIL_MS;
  let endMs = askedMs === null ? null : startedMs + askedMs;
  if (keptMs !== null) endMs = startedMs + keptMs + tailMs;
  let starts = repeats;
  // npm has taken its time, too, which says nothing of ours.
  let pace = guessedPace(agedMs === undefined ? 0 : Math.min(agedMs, performance.now()), crowded);

  const leftMs = (): number | null => (endMs === null ? null : endMs - tailMs - performance.now());

  function controlsShown(shown: Pace): void {
    pace = shown;
    tailMs += TAIL_SHARE * Math.max(0, pace.startMs - QUIET_START_MS);
    if (keptMs !== null) endMs = performance.now() + keptMs + tailMs;
    starts = startsThatFit(repeats, planned, pace, leftMs());
    if (endMs !== null && pace.startMs >= BUSY_START_MS) {
      endMs += isStretchable(options) ? STRETCH_MS : crowded ? CROWDED_OVERRUN_MS : OVERRUN_MS;
    }
  }

  return {
    askedMs,
    doneMs: () => performance.now() - startedMs,
    wholeMs: () => (endMs === null ? null : endMs - startedMs),
    leftMs,
    pace: () => pace,
    starts: () => starts,
    controlsShown,
    groupStarted(vcpus, readyMs) {
      pace = paceAfter(pace, vcpus, readyMs);
    },
    slotOf: (turns, left, mustRun) => slotOf(turns, starts, costOf(pace), left, mustRun),
  };
}
