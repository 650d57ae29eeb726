/**
 * The catalogue for whoever is asked for a seeded bug: its hundred files take as long to load as half of all
 * else that a command needs.
 */
import type { Mutant } from './mutant.ts';

export async function loadMutants(): Promise<readonly Mutant[]> {
  return (await import('./index.ts')).MUTANTS;
}
