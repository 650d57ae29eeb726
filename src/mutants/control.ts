/**
 * The seeded bugs that every campaign runs (src/stress/campaign/controls.ts), apart from the
 * catalogue: to load all of that takes half a second where ten other programs want the CPUs.
 */
import { entryUnfenced } from './machine/entry-unfenced.ts';
import { noTlbi } from './flush/no-tlbi.ts';
import type { Mutant } from './mutant.ts';

export const CONTROLS: readonly Mutant[] = Object.freeze([noTlbi, entryUnfenced]);
