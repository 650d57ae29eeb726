import { expect, test } from 'vitest';
import { Tally } from '../../src/selftest/tally.ts';
import { aCase, attempted, CAUGHT, MISSED } from './builders.ts';

test('one catch is a kill; seconds are the median of the catches', () => {
  const tally = new Tally(aCase('rare'));
  for (const seconds of [9, 1, 4]) tally.add(attempted('stale-translation', { seconds }));
  tally.add(attempted(null, { seconds: 100 }));
  const run = tally.toRun(null);
  expect(run).toMatchObject({
    observed: 'caught',
    seconds: 4,
    firedRule: 'stale-translation',
    wrongRule: null,
  });
  expect(run.attempts.map((attempt) => attempt.observed)).toEqual([
    'caught',
    'caught',
    'caught',
    'missed',
  ]);
  tally.add(attempted('stale-translation', { seconds: 2 }));
  expect(tally.toRun(null).seconds).toBe(3);
});

test('a rule that was not expected does not kill, and is not hidden', () => {
  const tally = new Tally(aCase('odd'));
  tally.add(attempted(null, { rules: ['tlb-conflict', 'refcount'] }));
  expect(tally.toRun(null)).toMatchObject({
    observed: 'missed',
    firedRule: null,
    wrongRule: 'tlb-conflict',
  });
  tally.add(attempted('stale-translation', { rules: ['lost-access', 'stale-translation'] }));
  expect(tally.toRun(null)).toMatchObject({ observed: 'caught', wrongRule: 'lost-access' });
});

test('what cut it short matters only to what was not caught', () => {
  const caught = new Tally(aCase('quick'));
  caught.add(CAUGHT);
  expect(caught.toRun('interrupted').unfinished).toBeNull();
  const missed = new Tally(aCase('slow'));
  missed.add(MISSED);
  expect(missed.toRun('interrupted').unfinished).toBe('interrupted');
  missed.add({ kind: 'failed', why: 'a thread died' });
  expect(missed.toRun(null).unfinished).toBe('a thread died');
});

test('problems of reports are collected once each', () => {
  const tally = new Tally(aCase('mute'));
  tally.add(attempted('stale-translation', {}, ['no event of vcpu 0']));
  tally.add(attempted('stale-translation', {}, ['no event of vcpu 0', 'no explore command']));
  expect(tally.toRun(null).reportProblems).toEqual(['no event of vcpu 0', 'no explore command']);
});
