/**
 * Runs a protocol, the same file that `stress` runs, against the model: one hypervisor thread, or two
 * that run a protocol each, one to four vCPUs, every guest program of the bounded set, every execution
 * of each.
 *
 * Two judges: each access of each execution (judge-access.ts), and the protocol's own operations
 * (the checker's automaton, which `stress` uses too). Of what an access breaks the shortest schedule
 * is kept; of what only the operations break, they are the schedule.
 *
 * Left out: updates by walks for no access of the program, changes of a second VM's tables, who gets
 * which VMID, software walkers of other threads.
 */
import type { ExploreRun } from '../../result/explore.ts';
import { conclude } from './conclude.ts';
import {
  type ExploreProgress,
  type Found,
  searchesOf,
  searchShare,
  type Share,
  wholeShare,
} from './share.ts';
import { type ExploreOptions, nameFailure, type Started, startExploration } from './start.ts';

/** Throws ExploreUnsupported, ProtocolFailure. A bound that was met is part of the result. */
export function exploreProtocol(options: ExploreOptions): ExploreRun {
  const steps = exploreInSteps(options);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/**
 * The same a few milliseconds at a time. `isStopped` is asked after each of them: a search that is
 * stopped returns what it has found so far.
 */
export function* exploreInSteps(
  options: ExploreOptions,
  isStopped: () => boolean = () => false,
): Generator<ExploreProgress, ExploreRun, void> {
  const startedMs = performance.now();
  const started = startExploration(options);
  const share = wholeShare(searchesOf(started));
  const found = yield* exploreShare(started, share, isStopped);
  return conclude(started, [found], performance.now() - startedMs);
}

/** One share of it. Throws ProtocolFailure. */
export function* exploreShare(
  started: Started,
  share: Share,
  isStopped: () => boolean,
): Generator<ExploreProgress, Found, void> {
  try {
    return yield* searchShare(started, share, isStopped);
  } catch (cause) {
    throw nameFailure(started, cause);
  }
}
