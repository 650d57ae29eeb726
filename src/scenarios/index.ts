/** The built-in scenarios. */
import { adjustHalf } from './adjust-half.ts';
import { adjustPopulated } from './adjust-populated.ts';
import type { Scenario } from './scenario.ts';

export type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = Object.freeze([adjustPopulated, adjustHalf]);

/** Throws if there is none: names are checked where they come in. */
export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((s) => s.name === name);
  if (scenario === undefined) throw new Error(`no scenario is called ${name}`);
  return scenario;
}
