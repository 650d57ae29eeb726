/** What a cancelled migration cost, from hand-made rounds. */
import { expect, test } from 'vitest';
import { migrationOf } from '../../../src/stress/figures/migration.ts';
import { ROW } from '../../../src/stress/results/results-area.ts';

const ROUNDS: Readonly<Record<number, readonly number[]>> = {
  [ROW.migrations]: [2, 2],
  [ROW.pagesSent]: [2000, 3000],
  [ROW.loggingFaults]: [40, 80],
  [ROW.cancels]: [2, 2],
  [ROW.cancelNs]: [3000, 5000],
  [ROW.cancelAccesses]: [100, 260],
  [ROW.cancelFaults]: [4, 2],
};
const columnOf = (rounds: typeof ROUNDS) => (field: number) =>
  Float64Array.from(rounds[field] ?? []);
const sumOf = (rounds: typeof ROUNDS) => (field: number) =>
  (rounds[field] ?? []).reduce((a, b) => a + b, 0);

test('per migration, and per cancelled one with its interval', () => {
  // 100 accesses per µs when idle: 300 and 500 in the two rounds, of which 100 and 260 were made.
  const migration = migrationOf(sumOf(ROUNDS), { column: columnOf(ROUNDS) }, 1e8, 1);
  expect(migration).toMatchObject({ count: 4, pagesSent: 1250, loggingFaults: 30 });
  expect(migration?.cancel?.coalesceNs).toEqual({ value: 2000, lo: 1500, hi: 2500 });
  expect(migration?.cancel?.faults).toEqual({ value: 1.5, lo: 1, hi: 2 });
  const lost = migration?.cancel?.accessesLost;
  expect([lost?.value, lost?.lo, lost?.hi].map((n) => Math.round(n ?? NaN))).toEqual([
    110, 100, 120,
  ]);
});

test('a guest that made more accesses than idle has lost less than none', () => {
  const migration = migrationOf(sumOf(ROUNDS), { column: columnOf(ROUNDS) }, 1e7, 1);
  expect(migration?.cancel?.accessesLost?.value).toBe(-70);
});

test('without an idle rate nothing is said of losses, without a migration nothing at all', () => {
  const rounds = { column: columnOf(ROUNDS) };
  expect(migrationOf(sumOf(ROUNDS), rounds, null, 1)?.cancel?.accessesLost).toBeNull();
  const completed = { ...ROUNDS, [ROW.cancels]: [0, 0] };
  expect(migrationOf(sumOf(completed), rounds, 1e8, 1)?.cancel).toBeNull();
  expect(migrationOf(() => 0, rounds, 1e8, 1)).toBeUndefined();
});
