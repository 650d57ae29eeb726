/** Who runs when and for how long, against engines that only pretend. */
import { describe, expect, it } from 'vitest';
import type { InnocentGroup } from '../../src/selftest/innocents.ts';
import { runSelftest } from '../../src/selftest/run.ts';
import { HUNT_SETTING } from '../../src/stress/campaign/hunt.ts';
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import { aCase, anInnocent, aPlan, CAUGHT, fakeRun, MISSED } from './builders.ts';

const group = (engine: 'stress' | 'explore'): InnocentGroup => ({
  engine,
  setting: HUNT_SETTING,
  flags: '',
  innocents: [{ protocol: bbmEarly, cpu: DEFAULT_CPU }],
});

describe('runSelftest', () => {
  it('does once what must be done, then the unseen, then the other seeds', async () => {
    const easy = aCase('easy');
    const hard = aCase('hard');
    const modelled = aCase('modelled', { column: 'explore', engine: 'explore' });
    const fake = fakeRun((subject, attempt) => ({
      took: 1000,
      attempted: subject === hard && attempt === 1 ? MISSED : CAUGHT,
    }));
    const plan = aPlan([easy, hard, modelled], { innocents: [group('stress'), group('explore')] });
    await runSelftest(plan, fake.engines, fake.hooks);
    expect(fake.asked.map((line) => line.replace(/ \d+$/, ''))).toEqual([
      'search modelled',
      'acquit explore',
      'hunt easy 7',
      'hunt hard 7',
      'hunt hard 7',
      'acquit stress',
      'hunt easy 8',
      'hunt hard 8',
      'hunt easy 9',
      'hunt hard 9',
    ]);
  });

  it('chases whom it has not seen before and after the correct protocols, to the end', async () => {
    const fake = fakeRun((_, __, budgetMs) => ({ took: budgetMs, attempted: MISSED }));
    const plan = aPlan([aCase('never')], { timeMs: 21_200, innocents: [group('stress')] });
    const { runs } = await runSelftest(plan, fake.engines, fake.hooks);
    expect(fake.asked).toEqual([
      'hunt never 7 1200',
      // Threads of its own and another seed each time.
      'hunt never 7 2000',
      'hunt never 8 4000',
      'hunt never 9 2000',
      'acquit stress 400',
      'hunt never 7 2000',
      'hunt never 8 4000',
      'hunt never 9 6000',
    ]);
    expect(runs[0]).toMatchObject({ observed: 'missed', unfinished: null });
    expect(runs[0]?.attempts).toHaveLength(7);
  });

  it('a chase ends with the hunt that sees it', async () => {
    const fake = fakeRun((_, attempt, budgetMs) => ({
      took: budgetMs,
      attempted: attempt < 3 ? MISSED : CAUGHT,
    }));
    const plan = aPlan([aCase('rare')], { seeds: [7] });
    await runSelftest(plan, fake.engines, fake.hooks);
    expect(fake.asked).toEqual(['hunt rare 7 1200', 'hunt rare 7 2000', 'hunt rare 7 4000']);
  });

  it('what the time did not reach is unfinished, not missed', async () => {
    const fake = fakeRun(() => ({ took: 5000, attempted: CAUGHT }));
    const plan = aPlan([aCase('first'), aCase('second')], {
      timeMs: 4000,
      innocents: [group('stress')],
    });
    const { runs, innocents } = await runSelftest(plan, fake.engines, fake.hooks);
    expect(runs.map((run) => run.unfinished)).toEqual([
      null,
      expect.stringContaining('time was up'),
    ]);
    expect(innocents).toEqual([
      anInnocent({ work: 0, unfinished: expect.stringContaining('time was up') as string }),
    ]);
  });

  it('a look is not enough to have survived', async () => {
    const fake = fakeRun(() => ({ took: 900, attempted: MISSED }));
    const plan = aPlan([aCase('first'), aCase('second')], { timeMs: 3500, seeds: [7] });
    const { runs } = await runSelftest(plan, fake.engines, fake.hooks);
    expect(fake.asked).toEqual(['hunt first 7 700', 'hunt second 7 1040']);
    expect(runs.map((run) => run.unfinished)).toEqual([
      expect.stringContaining('time was up'),
      expect.stringContaining('time was up'),
    ]);
  });

  it('an interruption ends it; what was caught before stays caught, the rest is unfinished', async () => {
    const fake = fakeRun((subject) => {
      if (subject.mutant.name === 'second') fake.controller.abort();
      return {
        took: 10,
        attempted: subject.mutant.name === 'first' ? CAUGHT : { kind: 'interrupted' },
      };
    });
    const plan = aPlan([aCase('first'), aCase('second'), aCase('third')]);
    const { runs } = await runSelftest(plan, fake.engines, fake.hooks);
    expect(fake.asked).toHaveLength(2);
    expect(runs.map((run) => [run.observed, run.unfinished])).toEqual([
      ['caught', null],
      ['missed', 'interrupted'],
      ['missed', 'interrupted'],
    ]);
  });

  it('a missed mutant is no survivor when interrupted: it might have been seen yet', async () => {
    const fake = fakeRun(() => {
      fake.controller.abort();
      return { took: 10, attempted: MISSED };
    });
    const { runs } = await runSelftest(aPlan([aCase('rare')]), fake.engines, fake.hooks);
    expect(runs[0]?.unfinished).toBe('interrupted');
  });

  it('what cannot run is not tried again, and says why', async () => {
    const fake = fakeRun(() => ({ took: 10, attempted: { kind: 'failed', why: 'it threw' } }));
    const { runs } = await runSelftest(aPlan([aCase('thrower')]), fake.engines, fake.hooks);
    expect(fake.asked).toHaveLength(1);
    expect(runs[0]?.unfinished).toBe('it threw');
  });

  it('the order of operations is looked at once, whatever the seed', async () => {
    const fake = fakeRun(() => ({ took: 10, attempted: CAUGHT }));
    const plan = aPlan([aCase('ordered', { by: 'operations' })]);
    await runSelftest(plan, fake.engines, fake.hooks);
    expect(fake.asked).toHaveLength(1);
  });

  it('an engine that need not catch it is tried only if asked, and owes nothing', async () => {
    const blind = aCase('unseen', { why: 'it has no eyes', rules: [] });
    const idle = fakeRun(() => ({ took: 10, attempted: CAUGHT }));
    const { runs } = await runSelftest(aPlan([blind]), idle.engines, idle.hooks);
    expect(idle.asked).toEqual([]);
    expect(runs[0]).toMatchObject({ expected: 'missed', observed: 'missed', unfinished: null });

    const asked = fakeRun(() => ({ took: 10, attempted: CAUGHT }));
    const all = await runSelftest(aPlan([blind], { triesAll: true }), asked.engines, asked.hooks);
    expect(asked.asked).toHaveLength(1);
    expect(all.runs[0]).toMatchObject({ expected: 'missed', observed: 'caught' });
  });

  it('another seed has three times as long as the slowest catch so far', async () => {
    const slow = { ...CAUGHT, attempt: { ...(CAUGHT as { attempt: object }).attempt, seconds: 4 } };
    const fake = fakeRun(() => ({ took: 4000, attempted: slow as typeof CAUGHT }));
    await runSelftest(aPlan([aCase('slow')], { seeds: [1, 2] }), fake.engines, fake.hooks);
    expect(fake.asked).toEqual(['hunt slow 1 1200', 'hunt slow 2 12000']);
  });
});
