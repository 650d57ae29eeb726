/**
 * The search against the one that takes no shortcut (plain-search.ts): random programs end in the
 * same states in both, and so they do when it is advanced in slices.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  armModel,
  DEFAULT_BOUNDS,
  type OrderOutcomes,
  Search,
  type System,
} from '../../../src/explore/model/index.ts';
import { Names } from '../../../src/litmus/tree/translation.ts';
import { parseLitmus } from '../../../src/litmus/parse/parse.ts';
import { prepare } from '../../../src/litmus/run-test.ts';
import { plainSearch } from './plain-search.ts';
import { column, litmusSource } from './random-programs.ts';

function collectInto(found: Set<string>): (outcomes: OrderOutcomes) => 'go-on' {
  return ({ memory, outcomes: [first, second] }) => {
    for (const a of first?.keys() ?? []) {
      for (const b of second?.keys() ?? []) found.add(`${memory.join()} ${a} ${b}`);
    }
    return 'go-on';
  };
}

function searched(system: System, arch: 'base' | 'ets2', slice: number): Set<string> {
  const found = new Set<string>();
  const run = new Search(system, armModel(arch), DEFAULT_BOUNDS, collectInto(found));
  for (let over = false; !over;) over = run.advance(slice);
  expect(run.stats.stoppedBy).toBeNull();
  return found;
}

describe('the search', () => {
  it('finds what trying every order finds, however it is sliced', () => {
    fc.assert(
      fc.property(
        column,
        column,
        fc.constantFrom('base' as const, 'ets2' as const),
        (p0, p1, arch) => {
          const test = parseLitmus('r.litmus', litmusSource(p0, p1));
          const { system } = prepare(test, new Names(), DEFAULT_BOUNDS);
          const plain = new Set<string>();
          plainSearch(system, armModel(arch), collectInto(plain));
          expect(searched(system, arch, Number.POSITIVE_INFINITY)).toEqual(plain);
          expect(searched(system, arch, 1)).toEqual(plain);
        },
      ),
      { numRuns: 300, seed: 4 },
    );
  });
});
