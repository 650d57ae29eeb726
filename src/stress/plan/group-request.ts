/** What is asked of whoever runs a group: its plan, the machine for it, and when it ends. */
import type { Arena } from '../../machine/arena.ts';
import type { MachineConfig } from '../../machine/layout.ts';
import type { ResultsArea } from '../results/results-area.ts';
import type { GroupPlan } from './group.ts';

/** When the main thread ends a group that has not ended by itself. */
export interface GroupLimits {
  /** Asked now and then, from its first round on: it has what it was started for. Absent: never. */
  readonly isDone?: (arena: Arena, results: ResultsArea) => boolean;
  /** Wall time after which the group is ended in order; null: when its rounds are done. */
  readonly budgetMs: number | null;
  /**
   * Rounds it has even if they take longer: the start of threads counts, and on a busy machine it
   * may take all of a short budget. 0 where nothing is said.
   */
  readonly roundsMin?: number;
  /** Wall time after which it is ended without them; absent: never. */
  readonly lastMs?: number;
  /** Rounds without which it would have said nothing: for these it goes on until so many ms. */
  readonly atLeast?: { readonly rounds: number; readonly ms: number };
}

export interface GroupRequest extends Omit<GroupPlan, 'arena' | 'results'>, GroupLimits {
  readonly config: MachineConfig;
}

/** Its time is up and it has the rounds it must have, or there is no time for these either. */
export function isOver(limits: GroupLimits, elapsedMs: number, rounds: number): boolean {
  const { budgetMs, roundsMin = 0, lastMs = Infinity, atLeast } = limits;
  if (budgetMs === null || elapsedMs < budgetMs) return false;
  if (rounds >= roundsMin) return true;
  if (elapsedMs < lastMs) return false;
  return atLeast === undefined || rounds >= atLeast.rounds || elapsedMs >= atLeast.ms;
}
