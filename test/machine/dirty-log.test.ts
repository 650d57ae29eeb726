/** The dirty bitmap: bits are fetched once, by word, and no page disturbs another. */
import { expect, test } from 'vitest';
import { createArena } from '../../src/machine/arena.ts';
import { createDirtyLog, type DirtyLog } from '../../src/machine/dirty/dirty-log.ts';
import { LOGGING } from '../../src/machine/layout.ts';

const logOf = (): DirtyLog =>
  createDirtyLog(createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 1 }));

test('marked pages are fetched once', () => {
  const log = logOf();
  expect(log.words).toBe(16);
  for (const page of [0, 31, 32, 511]) log.mark(page);
  expect(log.peek(0) >>> 0).toBe(0x8000_0001);
  expect([0, 1, 15].map((word) => log.take(word) >>> 0)).toEqual([0x8000_0001, 1, 0x8000_0000]);
  expect([0, 1, 15].map((word) => log.take(word))).toEqual([0, 0, 0]);
});

test('clearing bits leaves those of other pages of the word', () => {
  const log = logOf();
  log.mark(3);
  log.mark(7);
  log.clear(0, 1 << 3);
  expect(log.take(0)).toBe(1 << 7);
});

test('is off until somebody turns it on', () => {
  const log = logOf();
  expect(log.state()).toBe(LOGGING.off);
  log.setState(LOGGING.ending);
  expect(log.state()).toBe(LOGGING.ending);
});
