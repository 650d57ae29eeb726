import { expect, it } from 'vitest';
import { progressText } from '../../src/cli/commands/explore/command.ts';

it('says which search, how far it is, and how fast', () => {
  const progress = { states: 30_000, depth: 9, programsDone: 3, programs: 20 };
  expect(progressText(progress, '2 of 14 searches: bbm-early', 2000)).toBe(
    '2 of 14 searches: bbm-early  3 of 20 guest programs  30,000 states  depth 9  15,000 states/s',
  );
  expect(progressText(progress, '', 0)).not.toContain('Infinity');
});
