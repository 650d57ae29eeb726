import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatJson } from '../../src/report/json.ts';
import { aResult } from './results.ts';

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown, key: (text: string) => number): unknown {
  if (Array.isArray(value)) return value.map((inner) => shuffled(inner, key));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => key(a) - key(b));
  return Object.fromEntries(entries.map(([name, inner]) => [name, shuffled(inner, key)]));
}

describe('formatJson', () => {
  it('is the same bytes in whatever order fields were set', () => {
    fc.assert(
      fc.property(fc.integer(), (salt) => {
        const order = (text: string): number =>
          Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 31), salt);
        expect(formatJson(shuffled(aResult(), order))).toBe(formatJson(aResult()));
      }),
    );
  });

  it('loses nothing', () => {
    expect(JSON.parse(formatJson(aResult()))).toEqual(aResult());
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(formatJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("has the contract's fields first, in its order", () => {
    const keys = Object.keys(JSON.parse(formatJson({ zebra: 1, ant: 2, ...aResult() })) as object);
    expect(keys).toEqual(
      (
        'tool schema command verdict exitCode reasons seed argv version machine startedAt elapsedMs interrupted controls ' +
        'runs ant zebra'
      ).split(' '),
    );
  });

  it('has a word for what JSON has none for', () => {
    expect(formatJson({ hi: Number.POSITIVE_INFINITY, value: Number.NaN, lo: 0x7ffn })).toBe(
      '{\n  "value": null,\n  "lo": "0x7ff",\n  "hi": null\n}\n',
    );
  });
});
