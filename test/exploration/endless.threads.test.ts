/** A protocol from a file that never comes back: the search ends, and says which line it is in. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { runExploration } from '../../src/exploration/index.ts';
import { explorePlan } from '../../src/request/explore.ts';
import { compiledTrials } from '../preflight/compiled.ts';

compiledTrials();

test('explore names the line of a loop without an operation', { timeout: 180_000 }, async () => {
  const file = path.join(import.meta.dirname, '../preflight/fixtures/hangs.ts');
  const plan = await explorePlan({ protocols: [file, 'bbm-early'] });
  const { failures, exitCode, runs } = await runExploration(plan, {
    signal: new AbortController().signal,
    argv: [],
    onProgress: () => {},
    onRun: () => {},
    onFailure: () => {},
  });
  expect(failures).toEqual([
    {
      protocol: 'hangs',
      why: expect.stringMatching(/hangs\.ts:10: .* does not return: a loop without an operation/),
    },
  ]);
  expect(exitCode).toBe(70);
  // It takes nobody else along.
  expect(runs).toMatchObject([{ protocol: 'bbm-early', verdict: 'safe' }]);
});
