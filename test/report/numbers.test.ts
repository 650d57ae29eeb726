import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compact,
  grouped,
  seconds,
  shareText,
  significant,
  unitFor,
} from '../../src/report/numbers.ts';

describe('numbers', () => {
  it('significant: three digits, fewer for the tiny', () => {
    const shown = [
      0, 1234567, 1234, 99.96, 99.94, 12.345, 9.996, 1.2345, 0.99951, 0.5, 0.12345, 0.012345,
      0.0012345, 4.2e-7,
    ];
    expect(shown.map(significant)).toEqual([
      ...[
        '0',
        '1,234,567',
        '1,234',
        '100',
        '99.9',
        '12.3',
        '10.0',
        '1.23',
        '1.00',
        '0.5',
        '0.123',
        '0.0123',
        '0.0012',
      ],
      '4.2e-7',
    ]);
    expect(significant(-12.345)).toBe('-12.3');
    expect(significant(Number.POSITIVE_INFINITY)).toBe('-');
  });

  it('grouped and compact', () => {
    expect(grouped(1234567)).toBe('1,234,567');
    expect([999_999, 1_000_000, 12_345_678, 7e9].map(compact)).toEqual([
      '999,999',
      '1.00M',
      '12.3M',
      '7.00G',
    ]);
  });

  it('shareText: the interval, or the bound on what was never seen', () => {
    expect(shareText({ value: 0.123, lo: 0.119, hi: 0.128 })).toBe('12.3% [11.9, 12.8]');
    expect(shareText({ value: 0, lo: 0, hi: 3 / 20_000 })).toBe('0 (<0.015%)');
    expect(shareText({ value: 0.000081, lo: 0.00006, hi: 0.00011 })).toBe('0.0081% [0.006, 0.011]');
    expect(shareText({ value: 1, lo: 0.99, hi: 1 })).toBe('100% [99.0, 100]');
  });

  it('seconds', () => {
    expect([0, 830, 59_990, 60_000, 200_000, 7_500_000].map(seconds)).toEqual([
      ...['0.0 s', '0.8 s', '59.9 s', '1m 00s', '3m 20s', '2h 05m'],
    ]);
  });

  it('unitFor: where most values are from 1 to 999', () => {
    expect(unitFor([400, 500, 4_000_000]).name).toBe('ns');
    expect(unitFor([4000, 500_000]).name).toBe('µs');
    expect(unitFor([4e6]).name).toBe('ms');
    expect(unitFor([2e9]).name).toBe('s');
    expect(unitFor([]).name).toBe('ns');
  });
});

it('groups digits as the English do, whatever is rounded', () => {
  const english = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
  const anyNumber = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.integer({ min: -1000, max: 1000 }).map((n) => n + 0.5),
    fc.double({ min: -(2 ** 53), max: 2 ** 53, noNaN: true }),
  );
  fc.assert(
    fc.property(anyNumber, (value) => {
      const plain = (text: string): string => (text === '-0' ? '0' : text);
      expect(plain(grouped(value))).toBe(plain(english.format(value)));
    }),
  );
});
