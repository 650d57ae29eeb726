/** Figures of a row through the real engine: what they are made of, not how fast this machine is. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { BUILT_IN } from '../../../src/request/registry.ts';
import { STRESS_FLAGS, stressOptionsOf } from '../../../src/cli/commands/stress/flags.ts';
import type { Estimate } from '../../../src/result/estimate.ts';
import { isEnded } from '../../../src/result/campaign-state.ts';
import type { StressRun } from '../../../src/result/stress.ts';
import { planGroups } from '../../../src/stress/plan/portfolio.ts';
import { stress } from './stress.ts';

const ROUNDS = 48;
const TOO_MANY = availableParallelism() + 1;

test.skipIf(TOO_MANY > 64)('warm-up, trust, cost and loss of three protocols', async () => {
  const { result } = await stress(
    ...['--protocol', 'bbm-early,bbm-early-range,rfc-nt-intended', '--seed', '5'],
    ...['--vcpus', `1,${TOO_MANY}`, '--rounds', String(ROUNDS), '--transitions', '8'],
  );
  const { runs } = result;
  expect(runs).toHaveLength(6);
  for (const run of runs) {
    expect(run.answer?.kind).toBe('coalesce');
    // A quarter of the rounds at most.
    expect(run.roundsWarmUp).toBeGreaterThanOrEqual(8);
    expect(run.roundsWarmUp).toBeLessThanOrEqual(ROUNDS / 4);
    expect(['good', 'fair', 'poor']).toContain(run.trust.grade);
    expect(run.trust?.grade).not.toBe('good');
    const isMeasured = run.notMeasured === undefined;
    expect((run.means.refills?.value ?? 0) > 0).toBe(isMeasured);
    expect([run.means?.refills, run.answer?.walkRate].every(isWithin)).toBe(true);
    // Windows of undisturbed rounds only, one per transition at most.
    const kept = run.rounds - Math.max(run.roundsDropped, run.roundsWarmUp);
    const most = (kept * run.transitions) / run.rounds;
    expect(run.windowNs?.count ?? 0).toBeLessThanOrEqual(most);
  }
  const [early, range, nt] = runs as [StressRun, StressRun, StressRun];
  expect(early.answer?.cost.needs).toEqual([]);
  expect(range.answer?.cost.needs).toEqual(['FEAT_TLBIRANGE']);
  expect(nt.answer?.cost.needs).toEqual(['FEAT_BBM level 1']);
  // Nobody is faulted, so nothing is lost; null where too few rounds were undisturbed.
  expect(nt.answer?.lostNs?.value ?? 0).toBe(0);
  const lost = early.answer?.lostNs ?? null;
  expect(lost === null || early.episodeNs?.count === 0 || lost.value > 0).toBe(true);
  // vCPUs in turns: nothing undisturbed to measure a walk rate in.
  for (const run of runs.slice(3)) {
    expect(run.scheduling).toBe('scheduled');
    expect(run.answer?.walkRate).toBeNull();
    expect(run.trust?.reasons.join()).toContain('took turns');
  }
});

test('the portfolio has a row for each protocol and configuration, of all its starts', async () => {
  const options = await stressOptionsOf(parseCommandLine('stress', STRESS_FLAGS, []), BUILT_IN);
  const planned = (await planGroups(options)).flatMap(({ items, level, vcpus }) =>
    items.map(({ protocol }) => [protocol.name, level, vcpus]),
  );
  // Rounds, not time: on a busy machine no row is left out.
  const { result } = await stress('--rounds', '6', '--repeats', '2', '--seed', '5');
  const shown = result.runs.map((run) => [run.protocol, run.level, run.vcpus]);
  expect(shown).toEqual(planned);
  for (const run of result.runs) {
    expect(run.repeats).toBe(2);
    expect(run.accesses.lost).toBe(0);
    // What is shown on purpose is the only thing there is to see, with its two starts as one.
    const rules = run.violations.map(({ rule }) => rule);
    expect(rules).toEqual(run.protocol === 'rfc-nt-posted' && run.rounds > 0 ? ['claim'] : []);
    expect(run.exhibit === null).toBe(rules.length === 0);
    const { hitShare, spuriousPerTransition, means, answer } = run;
    const all = [hitShare, spuriousPerTransition, means?.refills, answer?.lostNs, answer?.walkRate];
    expect(all.every(isWithin)).toBe(true);
  }
  expect(result.campaign?.groups.every(isEnded)).toBe(true);
});

/** The value lies in its own interval; an estimate that is not there says nothing wrong. */
function isWithin(estimate: Estimate | null | undefined): boolean {
  return !estimate || (estimate.lo <= estimate.value && estimate.value <= estimate.hi);
}
