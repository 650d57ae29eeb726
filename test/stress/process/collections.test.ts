/** Garbage collections of a thread that does not turn its event loop are counted all the same. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test } from 'vitest';
import { countCollections, together } from '../../../src/stress/process/collections.ts';

let collect = (): void => {};
beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc') as () => void;
});

test('those within rounds, and no others', async () => {
  const counter = countCollections();
  collect();
  for (let round = 0; round < 2; round++) {
    counter.roundStarted();
    for (let i = 0; i <= round; i++) collect();
    counter.roundEnded();
    collect();
  }
  const { count, longestMs } = await counter.end();
  expect(count).toBe(3);
  expect(longestMs).toBeGreaterThan(0);
});

test('none', async () => {
  const counter = countCollections();
  counter.roundStarted();
  counter.roundEnded();
  expect(await counter.end()).toEqual({ count: 0, longestMs: 0 });
});

test('of several threads', () => {
  expect(together([])).toEqual({ count: 0, longestMs: 0 });
  const all = [
    { count: 1, longestMs: 4 },
    { count: 2, longestMs: 3 },
  ];
  expect(together(all)).toEqual({ count: 3, longestMs: 4 });
});
