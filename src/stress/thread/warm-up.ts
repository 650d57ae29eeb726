/**
 * When do the figures of a group begin to mean something? Threads start interpreted, and what V8
 * compiles late would be in the first windows. That it has settled is looked at, not assumed: a
 * round belongs to the warm-up of its item until guest accesses no longer become cheaper.
 *
 * Every item has its own, because the code of its protocol is its own.
 */
import { assert } from '../../arch/assert.ts';

export interface WarmUp {
  /**
   * To be asked once per round of transitions, in order. `accessNs`: time per guest access in it;
   * null if a thread was preempted that need not have been, which says nothing.
   */
  see(item: number, accessNs: number | null): WarmUpRound;
}

/** `given-up`: the last round of a warm-up that did not settle. */
export type WarmUpRound = 'warming' | 'given-up' | 'warm';

/** Medians of so many neighbouring rounds are compared. */
const SPAN = 4;
/** Settled if the later ones are not this much cheaper than the earlier ones. */
const CHEAPER = 0.9;
/** A warm-up that lasts longer is given up, and the row says so. */
const ROUNDS_MAX = 64;

interface ItemState {
  readonly recent: number[];
  rounds: number;
  warm: boolean;
}

/** `roundsMax`: of the group; at most a quarter of an item's share of them is given away. */
export function createWarmUp(items: number, roundsMax: number): WarmUp {
  const limit = Math.min(ROUNDS_MAX, Math.floor(roundsMax / items / 4));
  const states: ItemState[] = Array.from({ length: items }, () => ({
    recent: [],
    rounds: 0,
    warm: limit === 0,
  }));
  return {
    see(item, accessNs) {
      const state = states[item];
      assert(state !== undefined, `no item ${item}`);
      if (state.warm) return 'warm';
      state.rounds++;
      if (accessNs !== null) state.recent.push(accessNs);
      if (state.recent.length > 2 * SPAN) state.recent.shift();
      const settled = state.recent.length === 2 * SPAN && isSettled(state.recent);
      if (!settled && state.rounds < limit) return 'warming';
      state.warm = true;
      return settled ? 'warming' : 'given-up';
    },
  };
}

function isSettled(recent: readonly number[]): boolean {
  return middle(recent.slice(SPAN)) >= CHEAPER * middle(recent.slice(0, SPAN));
}

/** Of four values the second smallest: a slow round must not count. */
function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] as number;
}
