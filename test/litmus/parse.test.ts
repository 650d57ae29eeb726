/** The parser on well-formed files: every part of the format, in every spelling that herd takes. */
import { describe, expect, it } from 'vitest';
import { parseLitmus } from '../../src/litmus/parse/parse.ts';
import type { LitmusTest } from '../../src/litmus/test-case.ts';
import { formatValue } from '../../src/litmus/parse/value.ts';
import { formatPlace } from '../../src/litmus/verdict/final-state.ts';

function parse(init: string, code: string, tail: string): LitmusTest {
  return parseLitmus('t.litmus', `AArch64 T\n{\n${init}\n}\n${code}\n${tail}\n`);
}

const initial = (init: string): string[] =>
  parse(init, 'P0 ; NOP ;', 'exists (true)').initial.map(
    ({ place, value }) => `${formatPlace(place)}=${formatValue(value)}`,
  );

const body = (text: string): object => {
  const [instruction] =
    parse('', `P0 ; ${text} ; L9: ;`, 'exists (true)').threads[0]?.instructions ?? [];
  const { line: _line, labels: _labels, text: _text, ...rest } = instruction ?? {};
  return rest;
};

describe('the head', () => {
  it('has a name, comments, documentation strings and keys', () => {
    const source = [
      'AArch64 A+b.c-1',
      '"documentation"',
      '(* a comment (* inside another *) *)',
      'Variant = vmsa,fatal',
      'Com=Rf Fr',
      '{ }',
      'P0 ;',
      'NOP ;',
      'exists (true)',
    ];
    const test = parseLitmus('t.litmus', source.join('\n'));
    expect(test.name).toBe('A+b.c-1');
    expect([...test.info]).toEqual([
      ['variant', { value: 'vmsa,fatal', line: 4 }],
      ['com', { value: 'Rf Fr', line: 5 }],
    ]);
  });
});

describe('the initial state', () => {
  it('names registers, memory and table entries in each of their forms', () => {
    expect(initial('0:X1=x; P1:W2=0x10; int64_t x=-1; *y=2; [z]=3; int64_t 0:X4;')).toEqual([
      '0:X1=x',
      '1:X2=16',
      '[x]=-1',
      '[y]=2',
      '[z]=3',
      '0:X4=0',
    ]);
    expect(initial('pte_x=(valid:0); [PTE(y)]=(oa:PA(x), db:0); TTD(z)=(oa:phy_x,af:0);')).toEqual([
      '[PTE(x)]=(oa:PA(x), valid:0)',
      '[PTE(y)]=(oa:PA(x), db:0)',
      '[PTE(z)]=(oa:PA(x), af:0)',
    ]);
    expect(initial('0:X1=pte_x; 0:X2=PTE(x); pteval_t 0:X3=(oa:PA(y)); 0:X4=phy_x;')).toEqual([
      '0:X1=PTE(x)',
      '0:X2=PTE(x)',
      '0:X3=(oa:PA(y))',
      '0:X4=PA(x)',
    ]);
  });

  it('may be empty, and may end without a semicolon', () => {
    expect(initial('')).toEqual([]);
    expect(initial('x=1')).toEqual(['[x]=1']);
  });
});

describe('the code', () => {
  it('has one column per thread, labels of their own or before an instruction, and empty cells', () => {
    const { threads } = parse(
      '',
      ' P0 | P1 ;\n L0: | NOP ;\n L1: NOP | ;\n ISB | L2: L3: ;',
      'exists (true)',
    );
    expect(
      threads.map(({ instructions }) =>
        instructions.map(({ kind, labels, line }) => [kind, labels, line]),
      ),
    ).toEqual([
      [
        ['nop', ['L0', 'L1'], 7],
        ['isb', [], 8],
      ],
      [['nop', [], 6]],
    ]);
    expect(threads[1]?.labels.get('L2')).toEqual({ thread: 1, section: 'main', index: 1 });
  });

  it('has fault handlers beside it', () => {
    const { threads } = parse('', 'P0 | P0.F ; NOP | ADR X9,L0 ; L0: | ERET ;', 'exists (true)');
    expect(threads).toHaveLength(1);
    expect(threads[0]?.handler?.map(({ kind }) => kind)).toEqual([
      'label-address',
      'exception-return',
    ]);
  });

  const X1 = { name: 'X1', width: 64 };
  const X2 = { name: 'X2', width: 64 };
  const W0 = { name: 'X0', width: 32 };
  it.each<[string, object]>([
    ['MOV W0,#1', { kind: 'move', to: W0, from: { kind: 'immediate', value: 1n } }],
    [
      'mov x1, x2',
      { kind: 'move', to: X1, from: { kind: 'register', register: X2, modifier: null } },
    ],
    [
      'LDR W0,[X1]',
      {
        kind: 'load',
        bits: 32,
        to: W0,
        order: 'plain',
        address: { base: X1, offset: null, writeBack: 'none' },
      },
    ],
    [
      'LDAR W0, [X1]',
      {
        kind: 'load',
        bits: 32,
        to: W0,
        order: 'acquire',
        address: { base: X1, offset: null, writeBack: 'none' },
      },
    ],
    [
      'LDAPR W0,[X1]',
      {
        kind: 'load',
        bits: 32,
        to: W0,
        order: 'acquire-pc',
        address: { base: X1, offset: null, writeBack: 'none' },
      },
    ],
    [
      'LDR W0,[X1,W0,SXTW]',
      {
        kind: 'load',
        bits: 32,
        to: W0,
        order: 'plain',
        address: {
          base: X1,
          offset: { kind: 'register', register: W0, modifier: { kind: 'sxtw', amount: 0 } },
          writeBack: 'none',
        },
      },
    ],
    [
      'STR XZR,[X1,X2,LSL #3]',
      {
        kind: 'store',
        bits: 64,
        from: { name: 'ZR', width: 64 },
        release: false,
        address: {
          base: X1,
          offset: { kind: 'register', register: X2, modifier: { kind: 'lsl', amount: 3 } },
          writeBack: 'none',
        },
      },
    ],
    [
      'STR X2,[X1],#8',
      {
        kind: 'store',
        bits: 64,
        from: X2,
        release: false,
        address: { base: X1, offset: { kind: 'immediate', value: 8n }, writeBack: 'post' },
      },
    ],
    [
      'STR X2,[X1,#0]!',
      {
        kind: 'store',
        bits: 64,
        from: X2,
        release: false,
        address: { base: X1, offset: { kind: 'immediate', value: 0n }, writeBack: 'pre' },
      },
    ],
    [
      'STLR X2,[X1]',
      {
        kind: 'store',
        bits: 64,
        from: X2,
        release: true,
        address: { base: X1, offset: null, writeBack: 'none' },
      },
    ],
    [
      'CMP X1,#1',
      {
        kind: 'alu',
        op: 'sub',
        to: { name: 'ZR', width: 64 },
        left: X1,
        right: { kind: 'immediate', value: 1n },
        setsFlags: true,
      },
    ],
    ['DMB SY', { kind: 'dmb', covers: 'full' }],
    ['DMB LD', { kind: 'dmb', covers: 'load' }],
    ['DSB ISHST', { kind: 'dsb', covers: 'store' }],
    ['DSB NSH', { kind: 'dsb', covers: 'full' }],
    ['TLBI VMALLE1IS', { kind: 'tlbi', form: { scope: 'all', broadcast: true }, address: null }],
    ['TLBI VAAE1,X2', { kind: 'tlbi', form: { scope: 'address', broadcast: false }, address: X2 }],
    ['B.NE L9', { kind: 'branch-if', condition: 'ne', label: 'L9' }],
    ['CBNZ W0,L9', { kind: 'branch-zero', register: W0, ifZero: false, label: 'L9' }],
    ['TBZ X1,#3,L9', { kind: 'branch-bit', register: X1, bit: 3, ifZero: true, label: 'L9' }],
    [
      'CSET W0,EQ',
      {
        kind: 'select',
        to: W0,
        yes: { kind: 'immediate', value: 1n },
        no: { kind: 'immediate', value: 0n },
        otherwise: 'same',
        condition: 'eq',
      },
    ],
  ])('%s', (text, expected) => {
    expect(body(text)).toEqual(expected);
  });
});

describe('the condition', () => {
  it('has quantifiers, connectives and faults', () => {
    const { quantifier, condition, conditionText } = parse(
      '',
      'P0 ; NOP ;',
      '~exists (0:X1=1 /\\ ~(x=2 \\/ [PTE(x)]=(oa:PA(x), valid:0)) /\\\n Fault(P0:L0,x,MMU:Permission))',
    );
    expect(quantifier).toBe('~exists');
    expect(conditionText).toBe(
      '(0:X1=1 /\\ ~(x=2 \\/ [PTE(x)]=(oa:PA(x), valid:0)) /\\ Fault(P0:L0,x,MMU:Permission))',
    );
    expect(condition).toMatchObject({
      kind: 'and',
      left: {
        kind: 'and',
        left: { kind: 'equals' },
        right: { kind: 'not', operand: { kind: 'or' } },
      },
      right: { kind: 'fault', thread: 0, label: 'L0', symbol: 'x', type: 'Permission' },
    });
  });

  it('may follow locations and a filter', () => {
    const test = parse(
      '',
      'P0 ; NOP ;',
      'locations [0:X1; x; fault(P0,x);]\nfilter (x=1)\nforall (0:X1=1 => x=1)',
    );
    expect(test.shown).toHaveLength(3);
    expect(test.filter).toMatchObject({ kind: 'equals' });
    expect(test.quantifier).toBe('forall');
    expect(test.condition).toMatchObject({ kind: 'implies' });
  });
});
