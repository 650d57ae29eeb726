/** Accesses through a changing table entry: the whole set of outcomes, and what each architecture adds. */
import { describe, expect, it } from 'vitest';
import { statesOf } from '../../litmus/states.ts';

const SHOOTDOWN = ['DSB ISH', 'LSR X9,X4,#12', 'TLBI VAAE1IS,X9', 'DSB ISH'];

function program(init: string, columns: readonly (readonly string[])[], shown: string): string {
  const height = Math.max(...columns.map((column) => column.length));
  const rows = Array.from(
    { length: height },
    (_, i) => `${columns.map((column) => column[i] ?? '').join(' | ')} ;`,
  );
  const head = `${columns.map((_, i) => `P${i}`).join(' | ')} ;`;
  return [
    'AArch64 inline',
    `{ ${init} }`,
    head,
    ...rows,
    `locations [${shown}]`,
    'exists (true)',
  ].join('\n');
}

const FAULT = 'Fault(P1,x,D-MMU:Translation);';

describe('a valid entry made invalid', () => {
  const init = '0:X0=(oa:PA(x), valid:0); 0:X1=PTE(x); 0:X3=f; 0:X4=x; 0:X7=1; 1:X3=f; 1:X4=x;';
  const reader = ['LDR W5,[X3]', 'DSB ISH', 'ISB', 'LDR W6,[X4]'];
  const shown = '1:X5; fault(P1,x);';

  it('is still used by a synchronised reader without a TLBI', () => {
    const writer = ['STR X0,[X1]', 'DSB ISH', 'STR W7,[X3]'];
    const all = ['1:X5=0;', `1:X5=0; ${FAULT}`, '1:X5=1;', `1:X5=1; ${FAULT}`];
    expect(statesOf(program(init, [writer, reader], shown), 'ets2')).toEqual(all);
  });

  it('is used by nobody who knows of the shootdown', () => {
    const writer = ['STR X0,[X1]', ...SHOOTDOWN, 'STR W7,[X3]'];
    const all = ['1:X5=0;', `1:X5=0; ${FAULT}`, `1:X5=1; ${FAULT}`];
    expect(statesOf(program(init, [writer, reader], shown), 'ets2')).toEqual(all);
  });

  it.each([
    ['no DSB before the TLBI', ['STR X0,[X1]', ...SHOOTDOWN.slice(1), 'STR W7,[X3]']],
    ['no DSB after the TLBI', ['STR X0,[X1]', ...SHOOTDOWN.slice(0, 3), 'STR W7,[X3]']],
    [
      'a DSB for stores after the TLBI',
      ['STR X0,[X1]', ...SHOOTDOWN.slice(0, 3), 'DSB ISHST', 'STR W7,[X3]'],
    ],
    [
      'a TLBI for this CPU only',
      ['STR X0,[X1]', 'DSB ISH', 'TLBI VMALLE1', 'DSB ISH', 'STR W7,[X3]'],
    ],
  ])('is used with %s', (_, writer) => {
    expect(statesOf(program(init, [writer, reader], shown), 'ets2')).toContain('1:X5=1;');
  });
});

describe('an invalid entry made valid', () => {
  const init = 'pte_x=(valid:0); x=7; 0:X0=(oa:PA(x)); 0:X1=PTE(x); 0:X4=x;';
  const shown = 'fault(P0,x); 0:X6;';
  const fault = '0:X6=0; Fault(P0,x,D-MMU:Translation);';

  it('may fault right behind the store in the base architecture, not with ETS2', () => {
    const source = program(init, [['STR X0,[X1]', 'LDR W6,[X4]']], shown);
    expect(statesOf(source, 'base')).toEqual([fault, '0:X6=7;'].toSorted());
    expect(statesOf(source, 'ets2')).toEqual(['0:X6=7;']);
  });

  it('never faults behind DSB and ISB', () => {
    const source = program(init, [['STR X0,[X1]', 'DSB ISH', 'ISB', 'LDR W6,[X4]']], shown);
    expect(statesOf(source, 'base')).toEqual(['0:X6=7;']);
  });

  it('is not forwarded to the walker: an acquired flag of a store behind the walk implies the entry', () => {
    const both = '0:X3=y; 1:X1=PTE(x); 1:X3=y; ';
    const p0 = ['STR X0,[X1]', 'LDR W2,[X4]', 'EOR W5,W2,W2', 'ADD W5,W5,#1', 'STR W5,[X3]'];
    const p1 = ['LDR W4,[X3]', 'DMB LD', 'LDR X8,[X1]'];
    const states = statesOf(program(init + both, [p0, p1], '1:X4; 1:X8;'), 'base');
    expect(states).toEqual([
      '1:X4=0; 1:X8=(oa:PA(x));',
      '1:X4=0; 1:X8=(oa:PA(x), valid:0);',
      '1:X4=1; 1:X8=(oa:PA(x));',
    ]);
  });
});

describe('permission and access-flag faults', () => {
  const store = (before: string, after: string): string =>
    program(
      `pte_x=(${before}); 0:X0=(oa:PA(x), ${after}); 0:X1=PTE(x); 0:X4=x;`,
      [['STR X0,[X1]', 'DSB ISH', 'ISB', 'STR W7,[X4]']],
      'fault(P0,x);',
    );

  it('a permission fault may come from the TLB, so only a TLBI ends it', () => {
    expect(statesOf(store('db:0', 'db:1'), 'ets2')).toEqual(['', 'Fault(P0,x,D-MMU:Permission);']);
  });

  it('an access-flag fault may not', () => {
    expect(statesOf(store('af:0', 'af:1'), 'ets2')).toEqual(['']);
  });

  it('a load needs no write permission', () => {
    const source = program('x=3; pte_x=(db:0); 0:X4=x;', [['LDR W6,[X4]']], '0:X6; fault(P0,x);');
    expect(statesOf(source, 'base')).toEqual(['0:X6=3;']);
  });

  it('Translation comes before access flag, and that before permission', () => {
    const source = program(
      'pte_x=(valid:0, af:0, db:0); pte_y=(af:0, db:0); 0:X4=x; 1:X4=y;',
      [['STR WZR,[X4]'], ['STR WZR,[X4]']],
      'fault(P0); fault(P1);',
    );
    expect(statesOf(source, 'base')).toEqual([
      'Fault(P0,x,D-MMU:Translation); Fault(P1,y,D-MMU:AccessFlag);',
    ]);
  });
});

describe('break-before-make with readers', () => {
  const init = 'y=1; 0:X0=(oa:PA(x), valid:0); 0:X1=PTE(x); 0:X2=(oa:PA(y)); 0:X4=x; 1:X4=x;';
  const bbm = ['STR X0,[X1]', ...SHOOTDOWN, 'STR X2,[X1]'];
  const twoLoads = ['LDR W5,[X4]', 'LDR W6,[X4]'];

  it('gives old or new or a fault, never new and then old', () => {
    const states = statesOf(program(init, [bbm, twoLoads], '1:X5; 1:X6; fault(P1,x);'), 'base');
    expect(states).toEqual([
      '1:X5=0; 1:X6=0;',
      `1:X5=0; 1:X6=0; ${FAULT}`,
      '1:X5=0; 1:X6=1;',
      `1:X5=1; 1:X6=0; ${FAULT}`,
      '1:X5=1; 1:X6=1;',
    ]);
  });

  it('with ETS2 a second load does not fault once the first has seen the new page', () => {
    const states = statesOf(program(init, [bbm, twoLoads], '1:X5; 1:X6; fault(P1,x);'), 'ets2');
    expect(states).toEqual([
      '1:X5=0; 1:X6=0;',
      `1:X5=0; 1:X6=0; ${FAULT}`,
      '1:X5=0; 1:X6=1;',
      '1:X5=1; 1:X6=1;',
    ]);
  });

  it('gives new and then old if the entry is replaced directly', () => {
    const states = statesOf(program(init, [['STR X2,[X1]'], twoLoads], '1:X5; 1:X6;'), 'ets2');
    expect(states).toEqual([
      '1:X5=0; 1:X6=0;',
      '1:X5=0; 1:X6=1;',
      '1:X5=1; 1:X6=0;',
      '1:X5=1; 1:X6=1;',
    ]);
  });
});
