/** Which threads get which CPU, and what is taken for granted where nothing was asked for. */
import { expect, test } from 'vitest';
import {
  allowedCpus,
  cpuOfThread,
  parseCpuList,
  pinsFor,
} from '../../../src/stress/process/pinning.ts';

test('a list of CPUs is read as the kernel writes it', () => {
  expect(parseCpuList('0-3,8')).toEqual([0, 1, 2, 3, 8]);
  expect(parseCpuList('5')).toEqual([5]);
});

test('what was asked for holds for races too', () => {
  expect(pinsFor({ mode: 'off' }, 2)).toEqual({ usual: null, racing: null });
  expect(pinsFor({ mode: 'list', cpus: [1, 0] }, 2)).toEqual({ usual: [1, 0], racing: [1, 0] });
});

test('left to itself, two threads that race are never both on one CPU where there are two', () => {
  const cpus = allowedCpus() ?? [];
  const { racing } = pinsFor({ mode: 'auto' }, cpus.length + 1);
  // Without taskset, or on one CPU, nothing is pinned.
  if (racing === null) return;
  expect(racing.length).toBeGreaterThan(1);
  expect(cpuOfThread(racing, 0)).not.toBe(cpuOfThread(racing, 1));
  expect(cpus).toEqual(expect.arrayContaining([...racing]));
});
