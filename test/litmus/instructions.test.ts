/** What instructions compute, cut, extend and pass on: each on one thread, or on two where order is what counts. */
import { describe, expect, it } from 'vitest';
import { outcomeOf, statesOf } from './states.ts';

/** Final states of one thread; `init` and `shown` as a test writes them. */
function one(code: readonly string[], init: string, shown: string, head = ''): string[] {
  const rows = code.map((row) => `${row} ;`).join('\n');
  return statesOf(
    `AArch64 T\n${head}\n{ ${init} }\nP0 ;\n${rows}\nlocations [${shown}]\nforall (true)`,
    'base',
  );
}

describe('arithmetic', () => {
  it.each<[string, string, string, string]>([
    ['ADD X2,X0,W1,SXTW', 'int64_t 0:X0=4; 0:X1=-4; int64_t 0:X2;', '0:X2;', '0:X2=0;'],
    ['ADD X2,X0,W1,UXTW', 'int64_t 0:X0=4; 0:X1=-4; int64_t 0:X2;', '0:X2;', '0:X2=4294967296;'],
    ['ADD X2,X0,W1,SXTB #2', 'int64_t 0:X0=2; 0:X1=255; int64_t 0:X2;', '0:X2;', '0:X2=-2;'],
    ['ORR W2,WZR,W1,ROR #4', '0:X1=255;', '0:X2;', '0:X2=-268435441;'],
    ['ASR X0,X0,#2', 'int64_t 0:X0=-256;', '0:X0;', '0:X0=-64;'],
    ['MOVZ X0,#42,LSL #16', '', '0:X0;', '0:X0=2752512;'],
    ['MOVK W0,#1,LSL #16', '0:X0=0x20002;', '0:X0;', '0:X0=65538;'],
    ['MOVN W0,#0', '', '0:X0;', '0:X0=-1;'],
    ['ADDS X0,X0,#1,LSL #12', '0:X0=42;', '0:X0;', '0:X0=4138;'],
    ['EON X1,X0,X0', '', '0:X1;', '0:X1=-1;'],
    ['MNEG W3,W1,W2', '0:X1=-3; 0:X2=2;', '0:X3;', '0:X3=6;'],
    ['UMULL X3,W1,W1', '0:X1=-1; uint64_t 0:X3;', '0:X3;', '0:X3=18446744065119617025;'],
    ['SBFM W2,W1,#4,#2', '0:X1=0xFE; uint32_t 0:X2;', '0:X2;', '0:X2=3758096384;'],
    ['UBFX W2,W1,#4,#4', '0:X1=0xFE;', '0:X2;', '0:X2=15;'],
    ['REV16 W2,W1', '0:X1=0x12345678;', '0:X2;', '0:X2=873625686;'],
    ['RBIT W2,W1', '0:X1=1; uint32_t 0:X2;', '0:X2;', '0:X2=2147483648;'],
    ['CSNEG X1,X0,X2,NE', '0:X0=1; 0:X2=2;', '0:X1;', '0:X1=1;'],
    ['ADD X0,X0,#4', '0:X0=x;', '0:X0;', '0:X0=x+4;'],
  ])('%s', (code, init, shown, state) => {
    expect(one([code], init, shown)).toEqual([state]);
  });

  it('sets V where the sign overflows', () => {
    const code = ['ADDS W0,W1,W2', 'CSET W3,VS', 'CSET W4,CS'];
    expect(one(code, '0:X1=2; 0:X2=2147483647;', '0:X3; 0:X4;')).toEqual(['0:X3=1; 0:X4=0;']);
  });

  it('reads and writes the flags', () => {
    const code = ['CMP W1,#0', 'MRS X0,NZCV', 'LSR X0,X0,#28', 'MSR NZCV,XZR', 'CSET W2,EQ'];
    expect(one(code, '', '0:X0; 0:X2;')).toEqual(['0:X0=6; 0:X2=0;']);
  });
});

describe('accesses', () => {
  it.each<[string[], string, string, string]>([
    [['LDRSB W0,[X1]'], 'int8_t x=-1; 0:X1=x;', '0:X0;', '0:X0=-1;'],
    [['LDRB W0,[X1]'], 'int8_t x=-1; 0:X1=x;', '0:X0;', '0:X0=255;'],
    [['STRB W0,[X1]'], '0:X0=256; uint8_t x=7; 0:X1=x;', 'x;', '[x]=0;'],
    [['LDRSW X0,[X1]'], 'int x=-7; 0:X1=x; int64_t 0:X0;', '0:X0;', '0:X0=-7;'],
    [['STR W0,[X1,#4]'], 'int v[2]={1,2}; 0:X0=3; 0:X1=v;', 'v;', 'v={1,3};'],
    [['LDR W0,[X1]'], 'int v[2]={1,2}; 0:X1=v[1];', '0:X0; v[0];', '0:X0=2; v[0]=1;'],
    [['LDP X0,X2,[X1],#16', 'STR X2,[X1,#-16]'], 'int64_t v[2]={1,2}; 0:X1=v;', 'v;', 'v={2,2};'],
    [['STP X2,X3,[X1]'], 'int64_t v[2]; 0:X1=v; 0:X2=5; 0:X3=6;', 'v;', 'v={5,6};'],
    [['CAS W0,W2,[X1]'], 'int x=-1; 0:X1=x; 0:X0=-1; 0:X2=3;', '0:X0; x;', '0:X0=-1; [x]=3;'],
    [['CAS W0,W2,[X1]'], 'x=-1; 0:X1=x; 0:X0=-1; 0:X2=3;', 'x;', '[x]=3;'],
    [['CASB W0,W2,[X1]'], 'uint8_t x=255; 0:X1=x; 0:X0=511; 0:X2=3;', 'x;', '[x]=3;'],
    [['LDADD W0,W2,[X1]'], 'int x=-1; 0:X1=x; 0:X0=1;', '0:X2; x;', '0:X2=-1; [x]=0;'],
    [['LDADDB W0,W2,[X1]'], 'uint8_t x=255; 0:X1=x; 0:X0=1;', '0:X2; x;', '0:X2=255; [x]=0;'],
  ])('%s', (code, init, shown, state) => {
    expect(one(code, init, shown)).toEqual([state]);
  });
});

describe('jumps', () => {
  it('call and return', () => {
    const code = ['MOV W0,#4', 'BL L', 'BL L', 'B END', 'L: ADD W0,W0,#1', 'RET', 'END:'];
    expect(one(code, '', '0:X0;')).toEqual(['0:X0=6;']);
  });

  it('go to labels that are values, of other threads too', () => {
    const source = [
      'AArch64 T',
      '{ 0:X1=P1:L0; }',
      'P0      | P1        ;',
      'BR X1   | B END     ;',
      'MOV W0,#9 | L0: ADD W0,W0,#1 ;',
      '        | END:      ;',
      'locations [0:X0; 1:X0; 0:X1;] forall (true)',
    ];
    expect(statesOf(source.join('\n'), 'base')).toEqual(['0:X0=1; 1:X0=0; 0:X1=label:"P1:L0";']);
  });

  it('count bytes from where they are', () => {
    const code = ['ADD W1,W1,#2', 'SUBS W0,W0,#1', 'CBNZ W0,.-8'];
    expect(one(code, '0:X0=2;', '0:X1;')).toEqual(['0:X1=4;']);
  });

  it('go round as often as it takes where nothing is left open', () => {
    const code = ['MOV W0,#10', 'L: ADD W1,W1,#1', 'SUB W0,W0,#1', 'CBNZ W0,L'];
    expect(one(code, '', '0:X1;')).toEqual(['0:X1=10;']);
  });

  it('by a register that was loaded are a control dependency', () => {
    const source = [
      'AArch64 T',
      '{ ins_t *y; 0:X2=x; 0:X4=y; 0:X3=P1:L0; 1:X2=x; 1:X4=y; }',
      'P0           | P1          ;',
      'LDR W1,[X2]  | ADR X5,L1   ;',
      'STLR X3,[X4] | STR X5,[X4] ;',
      '             | LDR X3,[X4] ;',
      '             | BR X3       ;',
      '             | L0: MOV W0,#1 ;',
      '             | STR W0,[X2] ;',
      '             | L1:         ;',
      'exists (0:X1=1 /\\ 1:X0=1)',
    ];
    expect(outcomeOf(source.join('\n'), 'base').verdict).toBe('forbidden');
  });
});

describe('exceptions', () => {
  const code = ['L0: SVC #0', 'ADD W0,W0,#1'];

  it.each([
    ['fatal', '0:X0=0; Fault(P0:L0,SupervisorCall);'],
    ['skip', '0:X0=1; Fault(P0:L0,SupervisorCall);'],
    ['handled', '0:X0=1; Fault(P0:L0,SupervisorCall);'],
  ])('SVC with Variant=%s', (variant, state) => {
    expect(one(code, '', '0:X0; fault(P0:L0);', `Variant=${variant}`)).toEqual([state]);
  });

  it('SVC comes back behind it, UDF to the next instruction if it is skipped', () => {
    const source =
      'AArch64 T\n{ }\nP0 | P0.F ;\nSVC #0 | ADD W0,W0,#1 ;\nADD W0,W0,#2 | ERET ;\nlocations [0:X0;] forall (true)';
    expect(statesOf(source, 'base')).toEqual(['0:X0=3;']);
    expect(one(['UDF #0', 'MOV W0,#1'], '', '0:X0; fault(P0);', 'Variant=skip')).toEqual([
      '0:X0=1; Fault(P0,UndefinedInstruction);',
    ]);
  });
});

describe('a compare-and-swap that succeeds', () => {
  /** Its register carries an address dependency on to the last load. */
  const source = (expected: string): string =>
    [
      'AArch64 T',
      '{ int z=3; 0:X0=x; 0:X2=y; 0:X4=z; 1:X0=x; 1:X2=y; 1:X4=z; 1:X3=5; }',
      'P0           | P1                  ;',
      `MOV W1,#1    | ${expected}         ;`,
      'STR W1,[X0]  | CAS W1,W3,[X4]      ;',
      'MOV W3,#1    | EOR W5,W1,W1        ;',
      'STLR W3,[X4] | LDR W7,[X0,W5,SXTW] ;',
      'STLR W3,[X2] |                     ;',
      'exists (1:X1=1 /\\ 1:X7=0 /\\ z=5)',
    ].join('\n');

  it('depends on what it loaded or on what it compared with', () => {
    expect(outcomeOf(source('LDR W1,[X2]'), 'base').verdict).toBe('forbidden');
  });

  it('depends on neither of them for sure', () => {
    expect(outcomeOf(source('MOV W1,#1'), 'base').verdict).toBe('allowed');
  });
});

describe('values', () => {
  it('are shown and compared by their declared types, int without one', () => {
    const source =
      'AArch64 T\n{ uint8_t v[2]={-1,2}; uint64_t 0:X1; }\nP0 ;\nMOV X0,#-1 ;\nMOV X1,#-1 ;\n' +
      'locations [v;] forall (0:X0=-1 /\\ 0:X0=0xffffffff /\\ 0:X1=-1 /\\ v={255,2})';
    const outcome = outcomeOf(source, 'base');
    expect(outcome.states).toMatchObject([
      { text: 'v={255,2}; 0:X0=-1; 0:X1=18446744073709551615;', holds: true },
    ]);
  });

  it('of two threads that add twice each grow no further than they can', () => {
    const code =
      'MOV W0,#1 | MOV W0,#16 ;\nLDADD W0,W2,[X1] | LDADD W0,W2,[X1] ;\nLDADD W0,W3,[X1] | LDADD W0,W3,[X1] ;';
    const source = `AArch64 T\n{ 0:X1=x; 1:X1=x; }\nP0 | P1 ;\n${code}\nlocations [x; 0:X3; 1:X3;] exists (0:X3=0)`;
    const outcome = outcomeOf(source, 'base');
    expect(outcome).toMatchObject({ verdict: 'forbidden', stoppedBy: null });
    expect(new Set(outcome.states.map(({ text }) => text))).toEqual(
      new Set([
        '[x]=34; 0:X3=1; 1:X3=18;',
        '[x]=34; 0:X3=17; 1:X3=18;',
        '[x]=34; 0:X3=33; 1:X3=16;',
        '[x]=34; 0:X3=33; 1:X3=17;',
      ]),
    );
  });
});

describe('a fault that was asked for', () => {
  it('is spelled as herd spells it, whether it happened or not', () => {
    const source = (pte: string, asked: string): string =>
      `AArch64 T\n{ pte_x=(${pte}); 0:X1=x; }\nP0 ;\nL0: L1: LDR W0,[X1] ;\nlocations [0:X0;] exists (${asked})`;
    const texts = (pte: string, asked: string): string[] =>
      outcomeOf(source(pte, asked), 'base').states.map(({ text }) => text);
    expect(texts('valid:0', 'fault(P0:L1,x)')).toEqual([
      '0:X0=0; Fault(P0:L1,x,D-MMU:Translation);',
    ]);
    expect(texts('af:0', 'fault(P0:L0,x,MMU:AccessFlag)')).toEqual([
      '0:X0=0; Fault(P0:L0,x,MMU:AccessFlag);',
    ]);
    expect(texts('valid:1', 'fault(P0:L0,x)')).toEqual(['0:X0=0;  ~Fault(P0:L0,x);']);
  });
});
