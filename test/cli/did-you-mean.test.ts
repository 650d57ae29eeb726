import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest, suggestion } from '../../src/request/did-you-mean.ts';

const NAMES = ['bbm-late', 'bbm-early', 'rfc-nt-posted', 'nt-spec'];

describe('editDistance', () => {
  it('counts inserted, deleted, replaced and swapped letters', () => {
    expect(editDistance('bbm', 'bbm')).toBe(0);
    expect(editDistance('bbm', 'bbmx')).toBe(1);
    expect(editDistance('bbm', 'bm')).toBe(1);
    expect(editDistance('bbm', 'bxm')).toBe(1);
    expect(editDistance('levle', 'level')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });

  it('is symmetric and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('suggestion', () => {
  it('names the nearest, in whatever case', () => {
    expect(nearest('bbm-lat', NAMES)).toBe('bbm-late');
    expect(nearest('BBM-EARLY', NAMES)).toBe('bbm-early');
    expect(nearest('rfc', NAMES)).toBe('rfc-nt-posted');
    expect(suggestion('nt-spce', NAMES)).toBe('(did you mean nt-spec?)');
  });

  it('names all where none is near', () => {
    expect(nearest('zzz', NAMES)).toBeNull();
    expect(suggestion('zzz', NAMES)).toBe(
      '(there are bbm-late, bbm-early, rfc-nt-posted, nt-spec)',
    );
  });
});
