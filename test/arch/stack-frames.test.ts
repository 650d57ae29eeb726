import { expect, test } from 'vitest';
import { framesIn } from '../../src/arch/stack-frames.ts';

test('frames are paths with line and column, without what a loader puts behind a path', () => {
  const stack = [
    'Error: at /no/place:1:2 of it',
    '    at run (file:///home/me/mine.ts?again=3:12:9)',
    '    at /home/me/other.ts:7:1',
    '    at async node:internal/main:1:1',
  ];
  expect(framesIn(stack.slice(1).join('\n'))).toEqual([
    '/home/me/mine.ts:12:9',
    '/home/me/other.ts:7:1',
  ]);
});
