/** Two protocols at one entry at once, as one. */
import type { Claims, Protocol } from './protocol.ts';

/** What holds while both are at it: no window if neither has one, and one handler of conflicts does. */
export function claimsOfBoth(
  { claims: one }: Pick<Protocol, 'claims'>,
  { claims: other }: Pick<Protocol, 'claims'>,
): Claims {
  return {
    neverInvalid: one.neverInvalid === true && other.neverInvalid === true,
    handlesConflict: one.handlesConflict === true || other.handlesConflict === true,
  };
}
