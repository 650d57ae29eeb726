import { expect, test } from 'vitest';
import { ageOf } from '../../src/cli/command-age.ts';

test('a command is as old as the npm that was typed, unless that has run something else before', () => {
  expect(ageOf(300, null)).toBe(300);
  expect(ageOf(300, 700)).toBe(700);
  expect(ageOf(900, 890)).toBe(900);
  expect(ageOf(2_000, 7_000)).toBe(7_000);
  expect(ageOf(300, 60_000)).toBe(300);
});
