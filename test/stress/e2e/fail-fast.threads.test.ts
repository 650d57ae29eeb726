/** `--fail-fast`: the first violation ends the campaign, and is in its result. */
import { expect, it } from 'vitest';
import { rowOf, stress } from './stress.ts';

const ROUNDS = 200;

it('ends with the round that broke a rule, and runs no later group', async () => {
  const { code, result } = await stress(
    ...['--protocol', 'rfc-nt-posted,bbm-early', '--level', '2,1', '--vcpus', '1'],
    ...['--rounds', String(ROUNDS), '--fail-fast', '--seed', '3'],
  );
  const posted = rowOf(result, 'rfc-nt-posted');
  expect(posted.violations.map(({ rule }) => rule)).toContain('claim');
  expect(posted.rounds).toBeLessThan(ROUNDS);
  expect(result.campaign?.groups.map(({ state }) => state)).toEqual(['done', 'waiting']);
  expect(result.remarks?.join()).toContain('--fail-fast');
  expect(code).toBe(1);
});

it('changes nothing where no rule is broken', async () => {
  const { code, result } = await stress(
    ...['--protocol', 'bbm-early', '--vcpus', '1', '--rounds', '6', '--fail-fast', '--seed', '3'],
  );
  expect(rowOf(result, 'bbm-early').rounds).toBe(6);
  expect(code).toBe(0);
});
