/**
 * How long each hunt may take so that the whole keeps within its time. Most mutants are caught
 * within the first rounds, and a hunt ends at once when its mutant is seen; so everybody gets a
 * short look first, and what the quick ones leave goes to those that are hard to see. Pure.
 */

/** Without --time. Two cores do with less; a busy machine may need all of it. */
export const SELFTEST_MS = 160_000;
/** Per mutant under stress, as far as the time goes. */
export const SELFTEST_SEEDS = 3;
/** Rounds of one transition, per seed and side of a comparison. */
export const AMPLIFICATION_ROUNDS = 1000;
/** Of the time that is left when the explorer is done. */
const LOOKS_SHARE = 0.4;
const INNOCENTS_SHARE = 0.5;
/** Of what the looks have left, for those that they did not see: the correct protocols come after. */
export const FIRST_CHASE_SHARE = 0.4;
/** Thread start included, about 0.3 s. */
const LOOK_MS_MAX = 1_200;
const LOOK_MS_MIN = 400;
/** A correct protocol is not looked at longer than this: it would only add to the whole. */
const INNOCENT_MS_MAX = 200;
/** Less than this is no more than another look. */
export const CHASE_MS_MIN = 2000;
const CHASE_MS_MAX = 30_000;

/** First looks: at every mutant, once per seed. */
export function lookMs(leftMs: number, looksLeft: number): number {
  return clamp((leftMs * LOOKS_SHARE) / looksLeft, LOOK_MS_MIN, LOOK_MS_MAX);
}

/** A group of `members` correct protocols, of `membersLeft` that have not run yet. */
export function innocentsMs(leftMs: number, members: number, membersLeft: number): number {
  const each = Math.min(INNOCENT_MS_MAX, (leftMs * INNOCENTS_SHARE) / membersLeft);
  return Math.max(LOOK_MS_MIN, each * members);
}

/** A mutant nobody has seen yet: an equal share of all that is left. */
export function chaseMs(leftMs: number, chasesLeft: number): number {
  return clamp(leftMs / chasesLeft, CHASE_MS_MIN, CHASE_MS_MAX);
}

/**
 * The hunts of one chase, each with threads of its own. Code that is not compiled yet takes its time
 * between two steps, so a short window is met in the first transitions of new threads or hardly ever
 * (of gather-freed-early 97 of 100 hunts saw it within 2,000 transitions, and 2 had not in 5,000).
 * Each is twice as long as the one before it: some bugs need many transitions.
 */
export function chasePieces(ms: number): readonly number[] {
  const pieces: number[] = [];
  let left = ms;
  for (let piece = CHASE_MS_MIN; left > 0; piece *= 2) {
    const length = left - piece < CHASE_MS_MIN ? left : piece;
    pieces.push(length);
    left -= length;
  }
  return pieces;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** Another seed: as long as a first look, or three times as long as it took before. */
export function repeatMs(slowestMs: number): number {
  return Math.max(LOOK_MS_MAX, 3 * slowestMs);
}
