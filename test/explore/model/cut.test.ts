import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zeros } from '../../../src/explore/model/cut.ts';

test('each is empty, as long as asked for, and nobody else’s', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 60 }),
      (lengths) => {
        const cuts = lengths.map((length, number) => {
          const cut = zeros(length);
          expect(cut.length).toBe(length);
          expect(cut.every((each) => each === 0)).toBe(true);
          return cut.fill(number + 1);
        });
        cuts.forEach((cut, number) => expect(cut.every((each) => each === number + 1)).toBe(true));
      },
    ),
    { seed: 11 },
  );
});
