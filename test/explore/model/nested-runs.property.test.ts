/** Who is told of the end of a way may run a thread through the order meanwhile. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { armModel, DEFAULT_BOUNDS, OrderRun } from '../../../src/explore/model/index.ts';
import { Names } from '../../../src/litmus/tree/translation.ts';
import { prepare } from '../../../src/litmus/run-test.ts';
import { parseLitmus } from '../../../src/litmus/parse/parse.ts';
import { plainSearch } from './plain-search.ts';
import { column, litmusSource } from './random-programs.ts';

it('a way has the outcomes it has when nobody runs another meanwhile', () => {
  const options = armModel('base');
  let ways = 0;
  fc.assert(
    fc.property(column, column, (p0, p1) => {
      const test = parseLitmus('r.litmus', litmusSource(p0, p1));
      const { system } = prepare(test, new Names(), DEFAULT_BOUNDS);
      plainSearch(system, options, ({ order, outcomes }) => {
        for (const thread of system.threads.keys()) {
          const ends = new Map<number, number>();
          const again = new OrderRun(system, options, thread, () => ways++);
          new OrderRun(system, options, thread, (end) => {
            ends.set(end, (ends.get(end) ?? 0) + 1);
            again.run(order);
          }).run(order);
          expect(ends).toEqual(outcomes[thread]);
        }
      });
    }),
    { numRuns: 60, seed: 1 },
  );
  expect(ways).toBeGreaterThan(0);
});
