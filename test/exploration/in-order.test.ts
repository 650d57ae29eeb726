import { expect, test } from 'vitest';
import { InOrder } from '../../src/exploration/in-order.ts';

test('who is early waits for its turn', async () => {
  const taken: string[] = [];
  const inOrder = new InOrder((number, thing: string) =>
    Promise.resolve(void taken.push(`${number} ${thing}`)),
  );
  inOrder.add(1, 'b');
  inOrder.add(3, 'd');
  await Promise.resolve();
  expect(taken).toEqual([]);
  inOrder.add(0, 'a');
  await inOrder.end();
  // Nobody came for 2.
  expect(taken).toEqual(['0 a', '1 b', '3 d']);
});

test('what taking one throws is heard at the end', async () => {
  const inOrder = new InOrder(() => Promise.reject(new Error('no space left')));
  inOrder.add(0, 'a');
  await expect(inOrder.end()).rejects.toThrow('no space left');
});
