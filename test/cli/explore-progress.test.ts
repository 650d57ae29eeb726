import { expect, it } from 'vitest';
import { labelOf, progressText } from '../../src/cli/commands/explore/command.ts';

it('says which search, how far it is, and how fast', () => {
  const progress = { states: 30_000, depth: 9, programsDone: 3, programs: 20 };
  expect(progressText(progress, '2 of 14 searches: bbm-early', 2000)).toBe(
    '2 of 14 searches: bbm-early  3 of 20 guest programs  30,000 states  depth 9  15,000 states/s',
  );
  expect(progressText(progress, '', 0)).not.toContain('Infinity');
});

it('says what is beside it', () => {
  const at = { protocol: 'bbm-early', position: 2, of: 14, elapsedMs: 0 };
  expect(labelOf(at)).toBe('2 of 14 searches: bbm-early');
  expect(labelOf({ ...at, beside: 1 })).toBe('2 of 14 searches: bbm-early and 1 beside it');
  const change = { number: 3, of: 20 };
  expect(labelOf({ ...at, change })).toBe('2 of 14 searches: bbm-early, change 3 of 20');
});
