/** Each kernel tree at hand, as it is: everything it offers loads, and mapping is safe. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { kernelTree, loadKernel, offersOf } from '../../src/kernel/index.ts';
import { keepOutOfHere, noTree, REAL_TREES } from './real-trees.ts';

keepOutOfHere();

describe.skipIf(noTree !== null)(`trees at hand${noTree === null ? '' : ` (${noTree})`}`, () => {
  test('there is one', () => expect(REAL_TREES.length).toBeGreaterThan(0));

  test.each(REAL_TREES)('v$version', { timeout: 600_000 }, async ({ folder }) => {
    const offers = offersOf(kernelTree(folder));
    for (const { name } of offers) await loadKernel(path.join(folder, `kernel:${name}`));
    const { protocol } = await loadKernel(path.join(folder, 'kernel:map'));
    const run = exploreProtocol({ protocol, kinds: ['load'], accesses: 1 });
    expect([run.verdict, run.violations]).toEqual(['safe', []]);
  });
});
