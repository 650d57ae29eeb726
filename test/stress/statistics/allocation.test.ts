import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

// In a process of its own: garbage collections of the test runner must not be counted.
const PROGRAM = `
  import { PerformanceObserver } from 'node:perf_hooks';
  import { HISTOGRAM_WORDS, record } from './src/stress/statistics/histogram.ts';
  let collections = 0;
  const observer = new PerformanceObserver((list) => { collections += list.getEntries().length; });
  const hist = new Int32Array(new SharedArrayBuffer(4 * HISTOGRAM_WORDS));
  const run = (times) => { for (let i = 0; i < times; i++) record(hist, 0, (i * 7919) % 3e9); };
  run(1e6);
  observer.observe({ entryTypes: ['gc'] });
  run(2e7);
  setTimeout(() => { observer.disconnect(); console.log(collections); }, 20);
`;

it('records 20 million durations with hardly a garbage collection', () => {
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  // One 16-byte number per record would be 320 MB: some 20 to 300 scavenges, by the size of the
  // young generation.
  expect(Number(run.stdout)).toBeLessThanOrEqual(2);
});
