/** A protocol under test: the explorer is exhaustive and deterministic, so it makes a good unit test. */
import { explore } from 'stage2-stress';
import { expect, test } from 'vitest';
import mine from './01-protocol.ts';
import broken from './02-with-a-bug.ts';

test.each([0, 1, 2] as const)('my protocol is safe where BBM is %i', async (bbm) => {
  const { verdict } = await explore({ protocol: mine, cpu: { bbm: [bbm] } });

  expect(verdict).toBe('pass');
});

test('the bug is found, with a schedule that shows it', async () => {
  const { verdict, runs } = await explore({ protocol: broken });

  expect(verdict).toBe('fail');
  const violations = runs.flatMap((run) => run.violations);
  expect(violations.map((violation) => violation.rule)).toContain('freed-table');
});
