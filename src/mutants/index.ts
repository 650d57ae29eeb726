/** The catalogue of seeded bugs. */
import { entryUnfenced } from './entry-unfenced.ts';
import type { Mutant } from './mutant.ts';
import { noTlbi } from './no-tlbi.ts';

export { type Catch, type Engine, ENGINES, type Miss, type Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = Object.freeze([noTlbi, entryUnfenced]);
