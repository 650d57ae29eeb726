/** Load-exclusive and store-exclusive: sets of outcomes. A store-exclusive may fail whenever it likes. */
import { describe, expect, it } from 'vitest';
import { statesOf } from '../../litmus/states.ts';

function program(p0: readonly string[], p1: readonly string[], shown: string, head = ''): string {
  const registers = (thread: number): string =>
    ['X0=1', 'X1=x', 'X2=y', 'X3=PTE(x)', 'X4=(oa:PA(y))'].map((r) => `${thread}:${r};`).join(' ');
  const rows = Array.from(
    { length: Math.max(p0.length, p1.length) },
    (_, i) => `${p0[i] ?? ''} | ${p1[i] ?? ''} ;`,
  );
  const init = `{ ${registers(0)} ${registers(1)} }`;
  return [
    `AArch64 T${head}`,
    init,
    'P0 | P1 ;',
    ...rows,
    `locations [${shown}]`,
    'exists (true)',
  ].join('\n');
}

const increment = ['LDXR W5,[X1]', 'ADD W6,W5,W0', 'STXR W7,W6,[X1]'];

describe('a store-exclusive', () => {
  it('that succeeds lets no other store in between', () => {
    const states = statesOf(program(increment, increment, 'x; 0:X7; 1:X7;'), 'ets2');
    expect(states).toEqual([
      '[x]=0; 0:X7=1; 1:X7=1;',
      '[x]=1; 0:X7=0; 1:X7=1;',
      '[x]=1; 0:X7=1; 1:X7=0;',
      '[x]=2; 0:X7=0; 1:X7=0;',
    ]);
  });

  it('lets a store of its own thread in between', () => {
    const p0 = ['LDXR W5,[X1]', 'STR W0,[X1]', 'STXR W7,W5,[X1]'];
    expect(statesOf(program(p0, [], 'x; 0:X7;'), 'ets2')).toEqual([
      '[x]=0; 0:X7=0;',
      '[x]=1; 0:X7=1;',
    ]);
  });

  it.each([
    ['without a load-exclusive', ['LDR W5,[X1]', 'STXR W7,W0,[X1]']],
    ['after another store-exclusive', ['LDXR W5,[X1]', 'STXR W6,W0,[X2]', 'STXR W7,W0,[X1]']],
    ['to another location', ['LDXR W5,[X2]', 'STXR W7,W0,[X1]']],
  ])('fails %s', (_, p0) => {
    expect(statesOf(program(p0, [], 'x; 0:X7;'), 'ets2')).toEqual(['[x]=0; 0:X7=1;']);
  });

  it('fails where the page has moved since the load-exclusive', () => {
    const p0 = ['LDXR W5,[X1]', 'DSB ISH', 'ISB', 'STXR W7,W0,[X1]'];
    const states = statesOf(program(p0, ['STR X4,[X3]'], 'x; y; 0:X7;'), 'ets2');
    expect(states).toEqual([
      '[x]=0; [y]=0; 0:X7=1;',
      '[x]=0; [y]=1; 0:X7=0;',
      '[x]=1; [y]=0; 0:X7=0;',
    ]);
  });

  it('hands the order of its load on to a load-acquire of what it stored', () => {
    const p1 = ['STR W0,[X1]', 'DMB SY', 'STR W0,[X2]'];
    const seen = (load: string): string[] => {
      const p0 = ['LDXR W5,[X2]', 'STXR W7,W0,[X2]', `${load} W6,[X2]`, 'LDR W8,[X1]'];
      return statesOf(program(p0, p1, '0:X5; 0:X7; 0:X8;'), 'ets2');
    };
    expect(seen('LDR')).toContain('0:X5=1; 0:X7=0; 0:X8=0;');
    expect(seen('LDAR')).not.toContain('0:X5=1; 0:X7=0; 0:X8=0;');
  });

  it('is translated though it fails', () => {
    const source = program(['STXR W7,W0,[X1]'], [], '0:X7; fault(P0,x);').replace(
      '{',
      '{ pte_x=(valid:0);',
    );
    expect(statesOf(source, 'ets2')).toEqual(['0:X7=0; Fault(P0,x,D-MMU:Translation);']);
  });
});

describe('its status', () => {
  it('carries no dependency', () => {
    const p0 = ['LDXR W5,[X2]', 'STXR W7,W0,[X2]', 'EOR W8,W7,W7', 'ADD W8,W8,#1', 'STR W8,[X1]'];
    const p1 = ['LDR W5,[X1]', 'DMB SY', 'STR W0,[X2]'];
    expect(statesOf(program(p0, p1, '0:X5; 0:X7; 1:X5;'), 'ets2')).toContain(
      '0:X5=1; 0:X7=0; 1:X5=1;',
    );
  });
});
