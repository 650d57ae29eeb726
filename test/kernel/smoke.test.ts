/**
 * Each kernel tree at hand, as it is: everything it offers is explored to the end, with blocks of both
 * levels. Nothing of it breaks a rule but what is known of an old version.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { kernelTree, loadKernel, offersOf } from '../../src/kernel/index.ts';
import { BRINGS, FIXES } from './fixes.ts';
import { keepOutOfHere, noTree, REAL_TREES } from './real-trees.ts';
import { PGTABLE } from './trees.ts';

keepOutOfHere();

describe.skipIf(noTree !== null)(`trees at hand${noTree === null ? '' : ` (${noTree})`}`, () => {
  test('there is one', () => expect(REAL_TREES.length).toBeGreaterThan(0));

  test.each(REAL_TREES)('v$version', { timeout: 600_000 }, async ({ folder }) => {
    const found = [];
    const wanted = [];
    for (const { name } of offersOf(kernelTree(folder))) {
      const { protocol } = await loadKernel(path.join(folder, `kernel:${name}`));
      for (const level of [1, 2] as const) {
        const { verdict, stoppedBy } = exploreProtocol({
          protocol,
          level,
          programs: [{ early: [], late: [{ kind: 'load', page: 0 }] }],
          realGranules: false,
        });
        found.push([name, level, verdict, stoppedBy]);
        wanted.push([name, level, keepsPointers(folder, name) ? 'violated' : 'safe', null]);
      }
    }
    expect(found).toEqual(wanted);
  });
});

/** The flush of a zapped table has the hint that names leaves: the fix would still change something. */
function keepsPointers(folder: string, name: string): boolean {
  if (name !== 'unmap-table') return false;
  const text = readFileSync(path.join(folder, PGTABLE), 'utf8');
  const change = FIXES.find(({ commit }) => commit === '36e008323926')?.edits.find(
    ({ does }) => does === BRINGS,
  )?.change;
  expect(change).toBeDefined();
  return change?.(text) !== text;
}
