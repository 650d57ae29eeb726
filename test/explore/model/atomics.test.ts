/** Atomic read-modify-writes: nothing comes between their two halves, and what their suffixes order. */
import { describe, expect, it } from 'vitest';
import { statesOf } from '../../litmus/states.ts';

function two(p0: readonly string[], p1: readonly string[], shown: string): string[] {
  const init = '{ 0:X0=1; 0:X1=x; 0:X3=y; 0:X7=2; 1:X0=1; 1:X1=x; 1:X3=y; 1:X7=3; }';
  const rows = Array.from(
    { length: Math.max(p0.length, p1.length) },
    (_, i) => `${p0[i] ?? ''} | ${p1[i] ?? ''} ;`,
  );
  const lines = ['AArch64 inline', init, 'P0 | P1 ;', ...rows, `locations [${shown}]`];
  return statesOf([...lines, 'exists (true)'].join('\n'), 'ets2');
}

describe('atomicity', () => {
  it('two increments are never lost', () => {
    expect(two(['LDADD W0,W5,[X1]'], ['LDADD W0,W5,[X1]'], 'x;')).toEqual(['[x]=2;']);
  });

  it('the same with a load and a store apart may lose one', () => {
    const apart = ['LDR W5,[X1]', 'ADD W6,W5,#1', 'STR W6,[X1]'];
    expect(two(apart, apart, 'x;')).toEqual(['[x]=1;', '[x]=2;']);
  });

  it('one of two compare-and-swaps wins', () => {
    const states = two(['CAS W5,W7,[X1]'], ['CAS W5,W7,[X1]'], 'x; 0:X5; 1:X5;');
    expect(states).toEqual(['[x]=2; 0:X5=0; 1:X5=2;', '[x]=3; 0:X5=3; 1:X5=0;']);
  });

  it('swaps form a chain', () => {
    const states = two(['SWP W7,W5,[X1]'], ['SWP W7,W5,[X1]'], 'x; 0:X5; 1:X5;');
    expect(states).toEqual(['[x]=2; 0:X5=3; 1:X5=0;', '[x]=3; 0:X5=0; 1:X5=2;']);
  });

  it('a descriptor bit is set in one step', () => {
    const source = [
      'AArch64 inline',
      '{ pte_x=(af:0); 0:X1=PTE(x); 0:X2=1024; 1:X1=PTE(x); 1:X2=128; }',
      'P0 | P1 ;',
      'STSET X2,[X1] | STSET X2,[X1] ;',
      'exists (PTE(x)=(oa:PA(x), db:0))',
    ];
    expect(statesOf(source.join('\n'), 'ets2')).toEqual(['[PTE(x)]=(oa:PA(x), db:0);']);
  });
});

describe('order', () => {
  const shown = '0:X5; 1:X5;';
  const neither = '0:X5=0; 1:X5=0;';
  const swap = (suffix: string): string[] =>
    two(
      [`SWP${suffix} W0,W6,[X1]`, 'LDR W5,[X3]'],
      [`SWP${suffix} W0,W6,[X3]`, 'LDR W5,[X1]'],
      shown,
    );

  it('plain, acquire or release alone leave store buffering', () => {
    for (const suffix of ['', 'A', 'L']) expect(swap(suffix)).toContain(neither);
  });

  it('acquire and release together forbid it', () => {
    expect(swap('AL')).not.toContain(neither);
  });

  it('a form that drops the value is not held back by a DMB LD', () => {
    const p1 = (first: string): string[] => [first, 'DMB LD', 'LDR W6,[X1]'];
    const p0 = ['STR W0,[X1]', 'DMB ISH', 'STR W0,[X3]'];
    const stale = '[y]=2; 1:X6=0;';
    expect(two(p0, p1('STADD W0,[X3]'), 'y; 1:X6;')).toContain(stale);
    const seen = two(p0, p1('LDADD W0,W5,[X3]'), 'y; 1:X5; 1:X6;');
    expect(seen).not.toContain('[y]=2; 1:X5=1; 1:X6=0;');
  });
});
