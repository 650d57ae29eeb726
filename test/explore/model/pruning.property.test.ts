/**
 * The pruned search against one that knows nothing of the order within a thread: random programs
 * have the same final states in both.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armModel, DEFAULT_BOUNDS, REDUCTIONS, search } from '../../../src/explore/model/index.ts';
import { skeletonsOf } from '../../../src/explore/model/skeleton.ts';
import { Names } from '../../../src/litmus/tree/translation.ts';
import { prepare } from '../../../src/litmus/run-test.ts';
import { parseLitmus } from '../../../src/litmus/parse/parse.ts';
import { column, litmusSource } from './random-programs.ts';

/** What every thread leaves behind and what memory holds, over all orders. */
function outcomes(text: string, arch: 'base' | 'ets2', pruned: boolean): string[] {
  const { system } = prepare(parseLitmus('r.litmus', text), new Names(), DEFAULT_BOUNDS);
  const found = new Set<string>();
  const unordered: typeof skeletonsOf = (...given) =>
    skeletonsOf(...given).map(({ events }) => ({ events, before: events.map(() => 0) }));
  const stats = search(
    system,
    armModel(arch),
    DEFAULT_BOUNDS,
    ({ memory, outcomes: threads }) => {
      const [first = new Map<number, number>(), second = new Map<number, number>()] = threads;
      for (const a of first.keys())
        for (const b of second.keys()) found.add(`${memory.join()} ${a} ${b}`);
      return 'go-on';
    },
    REDUCTIONS,
    pruned ? skeletonsOf : unordered,
  );
  expect(stats.stoppedBy).toBeNull();
  return [...found].toSorted();
}

describe('the pruned search', () => {
  it('finds what the whole search finds', () => {
    fc.assert(
      fc.property(
        column,
        column,
        fc.constantFrom('base' as const, 'ets2' as const),
        (p0, p1, arch) => {
          const text = litmusSource(p0, p1);
          expect(outcomes(text, arch, true)).toEqual(outcomes(text, arch, false));
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it('ETS2 only ever forbids', () => {
    fc.assert(
      fc.property(column, column, (p0, p1) => {
        const text = litmusSource(p0, p1);
        const base = new Set(outcomes(text, 'base', true));
        for (const outcome of outcomes(text, 'ets2', true)) expect(base).toContain(outcome);
      }),
      { numRuns: 150, seed: 2 },
    );
  });
});
