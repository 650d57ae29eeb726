/** A protocol under test: the explorer is exhaustive and deterministic, so it makes a good unit test. */
import { explore } from 'stage2-stress';
import { expect, test } from 'vitest';
import mine from './01-protocol.ts';
import broken from './02-with-a-bug.ts';

test.each([0, 1, 2] as const)('my protocol is safe where BBM is %i', async (bbm) => {
  const run = await explore({ protocol: mine, cpu: { bbm: [bbm] } });

  expect(run.verdict).toBe('safe');
});

test('the bug is found, with a schedule that shows it', async () => {
  const run = await explore({ protocol: broken });

  expect(run.verdict).toBe('violated');
  expect(run.violations.map((violation) => violation.rule)).toContain('freed-table');
});
