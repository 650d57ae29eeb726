/** Explicit accesses alone: the whole set of outcomes of each classic shape, weak and synchronised. */
import { describe, expect, it } from 'vitest';
import { statesOf } from '../../litmus/states.ts';

const INIT = '{ x=0; y=0; 0:X0=1; 0:X1=x; 0:X3=y; 1:X0=1; 1:X1=x; 1:X3=y; }';

function two(p0: readonly string[], p1: readonly string[], shown: string): string {
  const rows = Array.from(
    { length: Math.max(p0.length, p1.length) },
    (_, i) => `${p0[i] ?? ''} | ${p1[i] ?? ''} ;`,
  );
  return [
    'AArch64 inline',
    INIT,
    'P0 | P1 ;',
    ...rows,
    `locations [${shown}]`,
    'exists (true)',
  ].join('\n');
}

/** States as bare numbers, in the order of `locations`: `1 0`. */
function outcomes(p0: readonly string[], p1: readonly string[], shown: string): string[] {
  const states = statesOf(two(p0, p1, shown), 'ets2');
  return states
    .map((state) => [...state.matchAll(/=(-?\d+)/g)].map((match) => match[1]).join(' '))
    .toSorted();
}

const ALL = ['0 0', '0 1', '1 0', '1 1'];
const without = (forbidden: string): string[] => ALL.filter((state) => state !== forbidden);

describe('message passing', () => {
  const shown = '1:X5; 1:X6;';
  const read = ['LDR W5,[X3]', 'LDR W6,[X1]'];
  const write = ['STR W0,[X1]', 'STR W0,[X3]'];

  it('may show the flag without the data', () => {
    expect(outcomes(write, read, shown)).toEqual(ALL);
  });

  it.each([
    [
      'DMB ISH and DMB ISH',
      ['STR W0,[X1]', 'DMB ISH', 'STR W0,[X3]'],
      ['LDR W5,[X3]', 'DMB ISH', 'LDR W6,[X1]'],
    ],
    [
      'DMB ST and DMB LD',
      ['STR W0,[X1]', 'DMB ST', 'STR W0,[X3]'],
      ['LDR W5,[X3]', 'DMB LD', 'LDR W6,[X1]'],
    ],
    ['release and acquire', ['STR W0,[X1]', 'STLR W0,[X3]'], ['LDAR W5,[X3]', 'LDR W6,[X1]']],
    ['release and LDAPR', ['STR W0,[X1]', 'STLR W0,[X3]'], ['LDAPR W5,[X3]', 'LDR W6,[X1]']],
    [
      'release and an address dependency',
      ['STR W0,[X1]', 'STLR W0,[X3]'],
      ['LDR W5,[X3]', 'EOR W7,W5,W5', 'LDR W6,[X1,W7,SXTW]'],
    ],
    [
      'DSB ST and DSB LD',
      ['STR W0,[X1]', 'DSB ISHST', 'STR W0,[X3]'],
      ['LDR W5,[X3]', 'DSB ISHLD', 'LDR W6,[X1]'],
    ],
  ])('never does with %s', (_, p0, p1) => {
    expect(outcomes(p0, p1, shown)).toEqual(without('1 0'));
  });

  it.each([
    ['only the writer is ordered', ['STR W0,[X1]', 'DMB ISH', 'STR W0,[X3]'], read],
    ['only the reader is ordered', write, ['LDR W5,[X3]', 'DMB ISH', 'LDR W6,[X1]']],
    [
      'the reader has only a DMB ST',
      ['STR W0,[X1]', 'DMB ISH', 'STR W0,[X3]'],
      [read[0] ?? '', 'DMB ST', read[1] ?? ''],
    ],
    [
      'the reader has only a branch',
      ['STR W0,[X1]', 'DMB ISH', 'STR W0,[X3]'],
      ['LDR W5,[X3]', 'CBZ W5,L', 'L: LDR W6,[X1]'],
    ],
  ])('still does if %s', (_, p0, p1) => {
    expect(outcomes(p0, p1, shown)).toEqual(ALL);
  });

  it('is ordered by a branch and an ISB', () => {
    const p0 = ['STR W0,[X1]', 'DMB ISH', 'STR W0,[X3]'];
    const p1 = ['LDR W5,[X3]', 'CBZ W5,L', 'L: ISB', 'LDR W6,[X1]'];
    expect(outcomes(p0, p1, shown)).toEqual(without('1 0'));
  });
});

describe('store buffering', () => {
  const shown = '0:X5; 1:X5;';

  it('may show neither store', () => {
    expect(outcomes(['STR W0,[X1]', 'LDR W5,[X3]'], ['STR W0,[X3]', 'LDR W5,[X1]'], shown)).toEqual(
      ALL,
    );
  });

  it.each([
    [
      'DMB ISH',
      ['STR W0,[X1]', 'DMB ISH', 'LDR W5,[X3]'],
      ['STR W0,[X3]', 'DMB ISH', 'LDR W5,[X1]'],
    ],
    ['release and acquire', ['STLR W0,[X1]', 'LDAR W5,[X3]'], ['STLR W0,[X3]', 'LDAR W5,[X1]']],
  ])('never does with %s', (_, p0, p1) => {
    expect(outcomes(p0, p1, shown)).toEqual(without('0 0'));
  });

  it('still does with release and LDAPR, and with DMB LD or ST', () => {
    for (const barrier of ['DMB LD', 'DMB ST']) {
      const p0 = ['STR W0,[X1]', barrier, 'LDR W5,[X3]'];
      expect(outcomes(p0, ['STR W0,[X3]', barrier, 'LDR W5,[X1]'], shown)).toEqual(ALL);
    }
    expect(
      outcomes(['STLR W0,[X1]', 'LDAPR W5,[X3]'], ['STLR W0,[X3]', 'LDAPR W5,[X1]'], shown),
    ).toEqual(ALL);
  });
});

describe('load buffering', () => {
  const shown = '0:X5; 1:X5;';

  it('is allowed', () => {
    expect(outcomes(['LDR W5,[X1]', 'STR W0,[X3]'], ['LDR W5,[X3]', 'STR W0,[X1]'], shown)).toEqual(
      ALL,
    );
  });

  it.each([
    [
      'control dependencies',
      ['LDR W5,[X1]', 'CBZ W5,L', 'L: STR W0,[X3]'],
      ['LDR W5,[X3]', 'CBZ W5,L', 'L: STR W0,[X1]'],
    ],
    [
      'addresses before it in program order',
      ['LDR W5,[X1]', 'EOR W7,W5,W5', 'LDR W6,[X1,W7,SXTW]', 'STR W0,[X3]'],
      ['LDR W5,[X3]', 'EOR W7,W5,W5', 'LDR W6,[X3,W7,SXTW]', 'STR W0,[X1]'],
    ],
  ])('is not with %s', (_, p0, p1) => {
    expect(outcomes(p0, p1, shown)).toEqual(without('1 1'));
  });

  it('never makes a value out of thin air', () => {
    expect(outcomes(['LDR W5,[X1]', 'STR W5,[X3]'], ['LDR W5,[X3]', 'STR W5,[X1]'], shown)).toEqual(
      ['0 0'],
    );
  });
});

describe('coherence', () => {
  it('a later load never sees an older value', () => {
    expect(outcomes(['STR W0,[X1]'], ['LDR W5,[X1]', 'LDR W6,[X1]'], '1:X5; 1:X6;')).toEqual([
      '0 0',
      '0 1',
      '1 1',
    ]);
  });

  it('a load sees an own store or a newer one', () => {
    const p1 = ['MOV W7,#2', 'STR W7,[X1]', 'LDR W5,[X1]'];
    expect(outcomes(['STR W0,[X1]'], p1, '1:X5; x;')).toEqual(['1 1', '2 1', '2 2']);
  });

  it('a load never sees an own later store', () => {
    expect(outcomes(['LDR W5,[X1]', 'STR W0,[X1]'], [], '0:X5; x;')).toEqual(['0 1']);
  });

  it('two stores of one thread stay in order', () => {
    expect(outcomes(['STR W0,[X1]', 'MOV W7,#2', 'STR W7,[X1]'], [], 'x;')).toEqual(['2']);
  });
});
