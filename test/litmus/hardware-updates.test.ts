/**
 * Access flag and dirty state set by the walker (TTHM=), and threads at EL0: sets of outcomes, thread by thread. The
 * ordering of such updates has its own small tests in `own`.
 */
import { describe, expect, it } from 'vitest';
import { statesOf } from './states.ts';

/** One store to x and one look at its entry; `pte` is what that holds at first. */
function store(tthm: string, pte: string, instruction = 'STR W0,[X1]'): string {
  const init = `{ pte_x=(${pte}); 0:X0=1; 0:X1=x; 0:X3=PTE(x); 0:X5=7; }`;
  const code = `P0 ;\n${instruction} ;\nDSB ISH ;\nLDR X6,[X3] ;`;
  const shown = 'locations [x; 0:X6; fault(P0,x);]';
  return ['AArch64 T', tthm, init, code, shown, 'exists (true)'].join('\n');
}

const fault = (pte: string, type: string): string =>
  `[x]=0; 0:X6=(oa:PA(x), ${pte}); Fault(P0,x,D-MMU:${type});`;

describe('a store', () => {
  const skip = (tthm: string): string => `Variant=skip\n${tthm}`;

  it.each([
    ['TTHM=SW', 'af:0', [fault('af:0', 'AccessFlag')]],
    ['TTHM=P1:HA', 'valid:0, af:0', [fault('valid:0, af:0', 'Translation')]],
    ['TTHM=HA', 'af:0', ['[x]=1; 0:X6=(oa:PA(x));']],
    // As in herd, SW is for single threads.
    ['TTHM=HA SW', 'af:0', ['[x]=1; 0:X6=(oa:PA(x));']],
    ['TTHM=HA P0:SW', 'af:0, valid:0', [fault('valid:0, af:0', 'Translation')]],
    ['TTHM=HA', 'db:0, dbm:1', [fault('db:0, dbm:1', 'Permission')]],
    ['TTHM=HD', 'db:0', [fault('db:0', 'Permission')]],
    ['TTHM=HD', 'db:0, dbm:1', ['[x]=1; 0:X6=(oa:PA(x), dbm:1);']],
    ['TTHM=P0:HD', 'af:0, db:0, dbm:1', ['[x]=1; 0:X6=(oa:PA(x), dbm:1);']],
    ['TTHM=HA HD P0:SW', 'db:0, dbm:1', [fault('db:0, dbm:1', 'Permission')]],
  ])('with %s through (%s)', (tthm, pte, states) => {
    expect(statesOf(store(skip(tthm), pte), 'ets2')).toEqual(states);
  });

  it('that faults for want of permission leaves the flag to speculation', () => {
    expect(statesOf(store(skip('TTHM=HA'), 'af:0, db:0'), 'ets2')).toEqual(
      [fault('af:0, db:0', 'Permission'), fault('db:0', 'Permission')].toSorted(),
    );
  });
});

describe('a compare-and-swap', () => {
  it('that fails may make the page dirty, and may not', () => {
    const states = statesOf(store('TTHM=HD', 'db:0, dbm:1', 'CAS W5,W0,[X1]'), 'ets2');
    expect(states).toEqual([
      '[x]=0; 0:X6=(oa:PA(x), db:0, dbm:1);',
      '[x]=0; 0:X6=(oa:PA(x), dbm:1);',
    ]);
  });

  it('that succeeds has to', () => {
    const source = store('TTHM=HD', 'db:0, dbm:1', 'CAS WZR,W0,[X1]');
    expect(statesOf(source, 'ets2')).toEqual(['[x]=1; 0:X6=(oa:PA(x), dbm:1);']);
  });
});

describe('updates of speculative walks', () => {
  const look = (tthm: string, pte: string, p1: string): string =>
    `AArch64 T\n${tthm}\n{ pte_x=(${pte}); 0:X3=PTE(x); 1:X3=PTE(x); 1:X4=(oa:PA(x), af:0); }\n` +
    `P0 | P1 ;\nLDR X5,[X3] | ${p1} ;\nDSB ISH | ;\nLDR X6,[X3] | ;\nDSB ISH | ;\nLDR X7,[X3] | ;\n` +
    'locations [0:X5; 0:X6; 0:X7;]\nexists (true)';
  const CLEAR = '(oa:PA(x), af:0)';
  const SET = '(oa:PA(x))';
  const seen = (...values: string[]): string =>
    values.map((value, i) => `0:X${5 + i}=${value};`).join(' ');

  it('set a flag once for each time it was cleared', () => {
    const states = statesOf(look('TTHM=P1:HA', 'af:0', 'NOP'), 'ets2');
    expect(states).toEqual(
      [
        seen(SET, SET, SET),
        seen(CLEAR, SET, SET),
        seen(CLEAR, CLEAR, SET),
        seen(CLEAR, CLEAR, CLEAR),
      ].toSorted(),
    );
    const again = statesOf(look('TTHM=P1:HA', 'af:0', 'STR X4,[X3]'), 'ets2');
    expect(again).toContain(seen(SET, CLEAR, SET));
    expect(statesOf(look('TTHM=HA', 'valid:1', 'STR X4,[X3]'), 'ets2')).toContain(
      seen(SET, CLEAR, SET),
    );
  });

  it('are made to valid entries, by CPUs that have them', () => {
    const invalid = '(oa:PA(x), valid:0, af:0)';
    expect(statesOf(look('TTHM=HA', 'valid:0, af:0', 'NOP'), 'ets2')).toEqual([
      seen(invalid, invalid, invalid),
    ]);
    expect(statesOf(look('TTHM=SW', 'af:0', 'NOP'), 'ets2')).toEqual([seen(CLEAR, CLEAR, CLEAR)]);
  });
});

describe('a thread at EL0', () => {
  const user = (pte: string): string =>
    `AArch64 T\nEL0=P0\nVariant=skip\n{ pte_x=(${pte}); 0:X1=x; 1:X1=x; }\n` +
    'P0 | P1 ;\nLDR W5,[X1] | LDR W5,[X1] ;\nlocations [fault(P0,x); fault(P1,x);]\nexists (true)';

  it.each([
    ['el0:1', ''],
    ['el0:0', 'Fault(P0,x,D-MMU:Permission);'],
    ['el0:0, af:0', 'Fault(P0,x,D-MMU:AccessFlag); Fault(P1,x,D-MMU:AccessFlag);'],
    ['el0:0, valid:0', 'Fault(P0,x,D-MMU:Translation); Fault(P1,x,D-MMU:Translation);'],
  ])('through (%s)', (pte, state) => {
    expect(statesOf(user(pte), 'ets2')).toEqual([state]);
  });

  it('has its faults handled at EL1', () => {
    const source =
      'AArch64 T\nEL0=P0\nVariant=vmsa\n{ y=3; pte_x=(el0:0); pte_y=(el0:0); 0:X1=x; 0:X2=y; }\n' +
      'P0 | P0.F ;\nLDR W5,[X1] | LDR W6,[X2] ;\nL0: | ADR X9,L0 ;\nNOP | MSR ELR_EL1,X9 ;\n | ERET ;\n' +
      'locations [0:X6; fault(P0,y);]\nexists (true)';
    expect(statesOf(source, 'ets2')).toEqual(['0:X6=3;']);
  });
});
