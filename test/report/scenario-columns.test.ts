/** Columns that only some scenarios have: figures in one unit, each explained, absent elsewhere. */
import { expect, it } from 'vitest';
import { runColumns } from '../../src/report/columns/index.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { aRun } from './results.ts';

const GROUPS = new Set(['per cancel', 'second VM', 'CREATE ms', 'UPDATE ms', 'ADJUST µs']);

function shown(runs: readonly StressRun[]): string[] {
  return runColumns(runs)
    .filter((column) => GROUPS.has(column.group))
    .map(({ group, title, cells }) => `${group}, ${title}: ${cells.join(' | ')}`);
}

const estimate = (value: number) => ({ value, lo: value / 2, hi: value * 2 });

it('what a cancelled migration cost, beside one that was completed', () => {
  const cancel = {
    coalesceNs: estimate(4200),
    faults: estimate(1.5),
    accessesLost: { value: -12, lo: -40, hi: 16 },
  };
  const migration = { count: 40, pagesSent: 900, loggingFaults: 30, cancel };
  const turns = { ...migration, cancel: { ...cancel, accessesLost: null } };
  const completed = { ...migration, cancel: null };
  expect(shown([migration, turns, completed].map((m) => aRun({ migration: m })))).toEqual([
    'per cancel, coalesce µs: 4.20 [2.10, 8.40] | 4.20 [2.10, 8.40] | ',
    'per cancel, faults: 1.50 [0.75, 3.00] | 1.50 [0.75, 3.00] | ',
    'per cancel, accesses lost: -12.0 [-40.0, 16.0] |  | ',
  ]);
});

it('what a second VM did', () => {
  const neighbour = { accesses: 64_000, refills: 76_800, rollovers: 3 };
  expect(shown([aRun({ neighbour, transitions: 38_400 })])).toEqual([
    'second VM, accesses: 64,000',
    'second VM, refills: 2.00',
  ]);
});

it('the stages of kvm_page_table_test, each in its unit', () => {
  const faults = { spurious: 0, genuine: 4, retry: 0 };
  const stages = [
    { name: 'CREATE', ns: estimate(2e6), faults },
    { name: 'UPDATE', ns: estimate(5e6), faults: { ...faults, genuine: 1028 } },
    { name: 'ADJUST', ns: estimate(9e4), faults: { spurious: 2, genuine: 0, retry: 7 } },
  ] as const;
  expect(shown([aRun({ stages }), aRun()])).toEqual([
    'CREATE ms, total: 2.00 | ',
    'CREATE ms, genuine: 4.00 | ',
    'UPDATE ms, total: 5.00 | ',
    'UPDATE ms, genuine: 1,028 | ',
    'ADJUST µs, total: 90.0 | ',
    'ADJUST µs, spurious: 2.00 | ',
    'ADJUST µs, retry: 7.00 | ',
  ]);
});

it('none of them in other scenarios', () => {
  expect(shown([aRun()])).toEqual([]);
});
