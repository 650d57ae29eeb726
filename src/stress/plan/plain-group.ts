/** What a group is where nothing else is asked for: campaigns, hunts and benchmarks state what differs. */
import { availableParallelism } from 'node:os';
import type { GroupRequest } from './group-request.ts';

export const PLAIN_GROUP = Object.freeze({
  access: 'wasm',
  pattern: 'uniform',
  storesPercent: 50,
  exitEvery: 1024,
  pollsEachAccess: true,
  racesEntry: false,
  gapNs: 2_000,
  reorder: false,
  delays: Object.freeze([]),
  pin: null,
  roundsMax: Number.MAX_SAFE_INTEGER,
  budgetMs: null,
  signs: Object.freeze([]),
  stopsAtSign: false,
} as const) satisfies Partial<GroupRequest>;

/** Spinning pays while every thread has a core; a long spin beside sleepers that want the core does not. */
export function spinsFor(tokens: number, vcpus: number, makers = 1): number {
  const cores = availableParallelism();
  if (cores === 1) return 0;
  return tokens < vcpus || tokens + makers > cores ? 200 : 2000;
}
