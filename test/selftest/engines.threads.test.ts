/**
 * The real engines: what they say of a mutant, of a harmless one, and of correct protocols. Nothing
 * here depends on a race being won.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { MUTANTS, type Mutant } from '../../src/mutants/index.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import rfcNtPosted from '../../src/protocols/rfc-nt-posted.ts';
import { comparisonsOf } from '../../src/selftest/amplification.ts';
import { type Case, casesOf } from '../../src/selftest/cases.ts';
import { searchInnocent, searchMutant } from '../../src/selftest/explore-engine.ts';
import { selftest, type SelftestOptions } from '../../src/selftest/index.ts';
import type { InnocentGroup } from '../../src/selftest/innocents.ts';
import { createStressEngine } from '../../src/selftest/stress-engine.ts';
import { gradeSelftest } from '../../src/selftest/verdict.ts';
import { HUNT_SETTING } from '../../src/stress/campaign/hunt.ts';
import { cpuFor } from '../../src/arch/cpu-model.ts';
import { createThreadPool } from '../../src/stress/group/pool.ts';
import { aMutant } from './builders.ts';

const pool = await createThreadPool();
afterAll(() => pool.destroy());

const exploreProblem = (): Promise<null> => Promise.resolve(null);
const hooks = { signal: new AbortController().signal, onTick: () => {} };
const engine = createStressEngine({
  pool,
  pins: { usual: null, racing: null },
  exploreProblem,
  hooks,
});
const BUDGET_MS = 2000;

function known(name: string): Mutant {
  const mutant = MUTANTS.find((m) => m.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
  return mutant;
}

function theCase(mutant: Mutant, overrides: Partial<Case> = {}): Case {
  const [first] = casesOf([mutant], ['stress', 'explore']);
  if (first === undefined) throw new Error('the mutant has a case');
  return { ...first, ...overrides };
}

const groupOf = (engineName: 'stress' | 'explore', protocol: typeof bbmEarly): InnocentGroup => ({
  engine: engineName,
  setting: HUNT_SETTING,
  flags: '',
  innocents: [{ protocol, cpu: cpuFor(protocol, {}) }],
});

describe('hunts', () => {
  it('end at the first sign, with a complete report', async () => {
    const seen = await engine.hunt(theCase(known('no-tlbi')), 1, BUDGET_MS);
    if (seen.kind !== 'done') throw new Error(`it ended as ${JSON.stringify(seen)}`);
    expect(known('no-tlbi').caughtBy[0]?.rules).toContain(seen.fired);
    expect(seen.attempt).toMatchObject({ observed: 'caught', seed: 1, note: null });
    expect(seen.reportProblems).toEqual([]);
  });

  it.each(['refcount-leak', 'drop-after-fault', 'stale-invalidate'])(
    'end early at what no vCPU records: the audit, the sums, the faults (%s)',
    async (name) => {
      const budgetMs = 20_000;
      const seen = await engine.hunt(theCase(known(name)), 1, budgetMs);
      if (seen.kind !== 'done') throw new Error(`it ended as ${JSON.stringify(seen)}`);
      expect(seen.fired).toBe(known(name).rule);
      // Without a sign it would have used up its time.
      expect(seen.attempt.seconds * 1000).toBeLessThan(budgetMs);
    },
  );

  it('have some rounds however short their time', async () => {
    const never = theCase(known('no-tlbi'), { rules: ['refcount'] });
    const seen = await engine.hunt(never, 1, 1);
    if (seen.kind !== 'done') throw new Error(`it ended as ${JSON.stringify(seen)}`);
    expect(seen.attempt.work).toBeGreaterThanOrEqual(4 * 64);
  });

  it('are not satisfied by another rule than those expected', async () => {
    const wrong = theCase(known('no-tlbi'), { rules: ['refcount'] });
    const seen = await engine.hunt(wrong, 1, 500);
    if (seen.kind !== 'done') throw new Error(`it ended as ${JSON.stringify(seen)}`);
    expect(seen.fired).toBeNull();
    expect(seen.attempt.observed).toBe('missed');
    expect(seen.attempt.rules).not.toEqual([]);
  });

  it('do not take the order of operations for what threads saw', async () => {
    const ordered = theCase(known('no-tlbi'), { rules: ['break-before-make'] });
    const observed = await engine.hunt(ordered, 1, 300);
    const operations = await engine.hunt({ ...ordered, by: 'operations' }, 1, BUDGET_MS);
    expect(observed).toMatchObject({ fired: null });
    expect(operations).toMatchObject({ fired: 'break-before-make', reportProblems: [] });
  });

  it('name a thread that died', async () => {
    // No worker finds a mutant of this name.
    const unknown = theCase({ ...known('no-tlbi'), name: 'not-there' });
    const seen = await engine.hunt(unknown, 1, BUDGET_MS);
    expect(seen).toEqual({ kind: 'failed', why: expect.stringContaining('not-there') as string });
  });
});

describe('correct protocols', () => {
  it('are not accused, by threads or by the model', async () => {
    const [run] = await engine.acquit(groupOf('stress', bbmEarly), 1, 500);
    expect(run).toMatchObject({ protocol: 'bbm-early', accusations: [], unfinished: null });
    expect(run?.work).toBeGreaterThan(0);
    const group = groupOf('explore', bbmEarly);
    const [innocent] = group.innocents;
    if (innocent === undefined) throw new Error('the group has a member');
    expect(searchInnocent(group, innocent, 60_000)).toMatchObject({
      accusations: [],
      unfinished: null,
    });
  });

  it('that are not correct are accused, by both', async () => {
    const { exhibit: _, ...judged } = rfcNtPosted;
    const [run] = await engine.acquit(groupOf('stress', judged), 1, 500);
    expect(run?.accusations.map(({ rule }) => rule)).toEqual(['claim']);
    const group = groupOf('explore', judged);
    const found = searchInnocent(group, { protocol: judged, cpu: cpuFor(judged, {}) }, 60_000);
    expect(found.accusations.map(({ rule }) => rule)).toEqual(['claim']);
  });

  it('may break on purpose what they are an exhibit of', async () => {
    const [run] = await engine.acquit(groupOf('stress', rfcNtPosted), 1, 500);
    expect(run).toMatchObject({ accusations: [], unfinished: null });
  });
});

describe('searches', () => {
  const inModel = (mutant: Mutant, overrides: Partial<Case> = {}): Case => {
    const [first] = casesOf([mutant], ['explore']);
    if (first === undefined) throw new Error('the mutant has a case of the model');
    return { ...first, ...overrides };
  };
  const harmless = aMutant('harmless', {
    seed: { kind: 'protocol', protocol: bbmEarly },
    caughtBy: [{ engine: 'explore', rules: ['stale-translation'] }],
  });

  it('find a mutant, and find nothing wrong with a harmless one', () => {
    expect(searchMutant(inModel(known('no-tlbi')), 60_000)).toMatchObject({
      fired: 'stale-translation',
      reportProblems: [],
    });
    expect(searchMutant(inModel(harmless), 60_000)).toMatchObject({
      fired: null,
      attempt: { observed: 'missed', rules: [], note: null },
    });
  });

  it('do not take the order of operations for an execution', () => {
    const ordered = inModel(known('no-tlbi'), { rules: ['break-before-make'] });
    expect(searchMutant(ordered, 60_000)).toMatchObject({ fired: null });
    expect(searchMutant({ ...ordered, by: 'operations' }, 60_000)).toMatchObject({
      fired: 'break-before-make',
    });
  });

  it('say which bound stopped them, and what they cannot run', () => {
    const large = {
      ...inModel(harmless),
      setting: { ...HUNT_SETTING, level: 1, vcpus: 2 },
    } as const;
    expect(searchMutant(large, 1)).toMatchObject({
      attempt: { observed: 'missed', note: expect.stringContaining('bound') as string },
    });
    expect(searchMutant(theCase(known('entry-unfenced')), 60_000)).toMatchObject({
      kind: 'failed',
      why: expect.stringContaining('entry-unfenced') as string,
    });
  });
});

describe('comparisons', () => {
  it('count the same transitions on both sides', async () => {
    const [comparison] = comparisonsOf(
      casesOf([known('no-dsb-before-tlbi')], ['stress-reorder']),
      [1, 2],
      20,
    );
    if (comparison === undefined) throw new Error('there is something to compare');
    const [run, ...others] = await engine.compare(comparison);
    expect(others).toEqual([]);
    expect(run).toMatchObject({ setting: 'reorder', unfinished: null });
    expect([run?.with.transitions, run?.without.transitions]).toEqual([40, 40]);
  });

  it('stop where a mutant needs no help', async () => {
    // It is wrong in every round, whatever the setting.
    const helped: Mutant = {
      ...known('canary'),
      caughtBy: [{ engine: 'stress-reorder', rules: ['lost-access'] }],
    };
    const cases = casesOf([helped], ['stress-reorder']);
    const [comparison] = comparisonsOf(cases, [1, 2], 20);
    if (comparison === undefined) throw new Error('there is something to compare');
    const [run] = await engine.compare(comparison);
    expect(run).toMatchObject({ effect: 'saturated', unfinished: null });
    expect(run?.without).toMatchObject({ transitions: 20, detections: 20 });
    expect(run?.with.transitions).toBe(0);
  });
});

describe('selftest', () => {
  const options = (mutants: readonly Mutant[]): SelftestOptions => ({
    mutants,
    isPartial: true,
    columns: ['stress', 'explore'],
    seeds: [1],
    timeMs: 60_000,
    triesAll: false,
    amplificationRounds: null,
    pin: { mode: 'off' },
    exploreProblem,
  });
  const now = (): number => performance.now();

  it('fails if one mutant is not what it says', async () => {
    const { signal } = new AbortController();
    const mislabelled = {
      ...known('no-tlbi'),
      caughtBy: [{ engine: 'explore', rules: ['refcount'] }],
    } as const;
    const outcome = await selftest(options([mislabelled]), { signal, onProgress: () => {}, now });
    const { exitCode, reasons } = gradeSelftest(outcome);
    expect(exitCode).toBe(1);
    expect(reasons).toEqual([expect.stringContaining('no-tlbi survived explore')]);
  });

  it('ends in the middle of a hunt when interrupted, with what it has', async () => {
    const controller = new AbortController();
    const never = {
      ...known('no-tlbi'),
      caughtBy: [
        { engine: 'explore', rules: ['stale-translation'] },
        { engine: 'stress', rules: ['refcount'] },
      ],
    } as const;
    const outcome = await selftest(options([never]), {
      signal: controller.signal,
      onProgress: ({ label }) => {
        // Once the hunt has begun: aborted from another turn of the event loop.
        if (label.startsWith('stress ')) setImmediate(() => setImmediate(() => controller.abort()));
      },
      now,
    });
    expect(outcome.interrupted).toBe(true);
    expect(outcome.runs.map((run) => [run.column, run.observed, run.unfinished])).toEqual([
      ['explore', 'caught', null],
      ['stress', 'missed', 'interrupted'],
    ]);
    expect(gradeSelftest(outcome).exitCode).toBe(130);
  });
});
