import fc from 'fast-check';
import { expect, it } from 'vitest';
import { meaningOf, TAG_VALUES } from '../../src/checker/version-tag.ts';

it('tells old from unknown around the circle', () => {
  expect(meaningOf(0, { oldest: 16, newest: 17 })).toEqual({ kind: 'allowed' });
  expect(meaningOf(1, { oldest: 16, newest: 17 })).toEqual({ kind: 'allowed' });
  expect(meaningOf(15, { oldest: 16, newest: 17 })).toEqual({ kind: 'old', version: 15, age: 1 });
  expect(meaningOf(12, { oldest: 16, newest: 17 })).toEqual({ kind: 'old', version: 12, age: 4 });
  expect(meaningOf(2, { oldest: 16, newest: 17 })).toEqual({ kind: 'unknown' });
});

it('knows that there was nothing before version 0', () => {
  expect(meaningOf(15, { oldest: 0, newest: 1 })).toEqual({ kind: 'unknown' });
  expect(meaningOf(0, { oldest: 3, newest: 3 })).toEqual({ kind: 'old', version: 0, age: 3 });
});

it('finds any version that is at most seven old, and no allowed one guilty', () => {
  const version = fc.nat(100_000);
  fc.assert(
    fc.property(version, fc.nat(1), fc.integer({ min: 1, max: 7 }), (oldest, width, age) => {
      const allowed = { oldest, newest: oldest + width };
      for (let v = oldest; v <= allowed.newest; v++) {
        expect(meaningOf(v % TAG_VALUES, allowed)).toEqual({ kind: 'allowed' });
      }
      if (age > oldest) return;
      expect(meaningOf((oldest - age) % TAG_VALUES, allowed)).toEqual({
        kind: 'old',
        version: oldest - age,
        age,
      });
    }),
  );
});
