/**
 * What a four-bit version tag says, given the versions that were allowed. Tags are versions modulo
 * 16, so the distance to the allowed interval is known only around the circle: the nearer side is
 * taken, older on a tie.
 *
 *      … 13 14 15 | 0 [1 2] 3 …       allowed 17 to 18: tag 15 is two versions old, tag 3 one ahead
 */
import { assert } from '../arch/assert.ts';
import type { AllowedVersions } from '../result/evidence.ts';

export const TAG_VALUES = 16;

export type TagMeaning =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'old'; readonly version: number; readonly age: number }
  /** Ahead of every allowed version, or a version there never was. */
  | { readonly kind: 'unknown' };

function modulo(n: number): number {
  return ((n % TAG_VALUES) + TAG_VALUES) % TAG_VALUES;
}

export function meaningOf(tag: number, allowed: AllowedVersions): TagMeaning {
  assert(allowed.oldest <= allowed.newest, 'the oldest version allowed is not after the newest');
  const width = allowed.newest - allowed.oldest;
  if (modulo(tag - allowed.oldest) <= width) return { kind: 'allowed' };
  const age = modulo(allowed.oldest - tag);
  const ahead = modulo(tag - allowed.newest);
  const version = allowed.oldest - age;
  return age <= ahead && version >= 0 ? { kind: 'old', version, age } : { kind: 'unknown' };
}
