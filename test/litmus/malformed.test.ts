/** What is wrong is said with its file and line and what was expected; what is not modelled is named, not guessed. */
import { describe, expect, it } from 'vitest';
import { LitmusSyntaxError, Unsupported } from '../../src/litmus/errors.ts';
import { parseLitmus } from '../../src/litmus/parse/parse.ts';
import { outcomeOf } from './states.ts';

/** Name and message of what parsing or running it throws. */
function complaint(source: string): string {
  try {
    parseLitmus('t.litmus', source);
    outcomeOf(source, 'base');
  } catch (error) {
    if (error instanceof LitmusSyntaxError || error instanceof Unsupported) return error.message;
    throw error;
  }
  return 'nothing to complain about';
}

const wrap = (code: string, init = '', tail = 'exists (true)'): string =>
  ['AArch64 T', '{', init, '}', 'P0 ;', `${code} ;`, tail].join('\n');

describe('a malformed file', () => {
  it.each([
    [
      'no name',
      'AArch64\n{ }\n',
      't.litmus:1: expected "AArch64" and a test name, found "AArch64"',
    ],
    [
      'a page of text',
      '# Title\n',
      't.litmus:1: expected "AArch64" and a test name, found "# Title"',
    ],
    [
      'no initial state',
      'AArch64 T\nP0 ;\nNOP ;\n',
      't.litmus:3: expected "{" and the initial state, found end of file',
    ],
    [
      'an open initial state',
      'AArch64 T\n{\nx=1;\n',
      't.litmus:2: expected "}" that closes this initial state, found end of file',
    ],
    [
      'an open comment',
      'AArch64 T\n(* never closed\n{ }\n',
      't.litmus:2: expected "*)" that closes this comment, found end of file',
    ],
    ['a value missing', wrap('NOP', 'x=;'), 't.litmus:3: expected a value, found ";"'],
    ['two values in one item', wrap('NOP', 'x=1 y=2;'), 't.litmus:3: expected ";", found "y"'],
    ['an open descriptor', wrap('NOP', 'pte_x=(valid:0;'), 't.litmus:3: expected ")", found ";"'],
    [
      'an odd character',
      wrap('NOP', 'x=1 ?'),
      't.litmus:3: expected a name, a number or a symbol, found "?"',
    ],
    [
      'no threads',
      'AArch64 T\n{ }\nexists (true)\n',
      't.litmus:2: expected a row of threads such as "P0 | P1 ;", found "exists (true)"',
    ],
    [
      'an odd thread',
      'AArch64 T\n{ }\nX0 ;\nNOP ;\nexists (true)\n',
      't.litmus:3: expected a thread such as P0, found "X0"',
    ],
    [
      'threads out of order',
      'AArch64 T\n{ }\nP1 ;\nNOP ;\nexists (true)\n',
      't.litmus:3: expected P0, found "P1"',
    ],
    ['too many columns', wrap('NOP | NOP'), 't.litmus:6: expected 1 column, found 2'],
    [
      'no condition',
      'AArch64 T\n{ }\nP0 ;\nNOP ;\nwhatever\n',
      't.litmus:5: expected "exists", "~exists" or "forall", found "whatever"',
    ],
    [
      'an open condition',
      wrap('NOP', '', 'exists (x=1'),
      't.litmus:7: expected ")", found end of text',
    ],
    [
      'a condition with more behind',
      wrap('NOP', '', 'exists (x=1) x'),
      't.litmus:7: expected end of file after the condition, found "x"',
    ],
    ['a missing operand', wrap('LDR X1'), 't.litmus:6: expected 2 to 3 operands, found "LDR X1"'],
    [
      'an odd register',
      wrap('LDR X31,[X1]'),
      't.litmus:6: expected a register X0 to X30, W0 to W30, XZR or WZR, found "LDR X31,[X1]"',
    ],
    [
      'an odd barrier',
      wrap('DMB FOO'),
      't.litmus:6: expected a barrier option such as SY, ISH, ISHST or LD, found "DMB FOO"',
    ],
    [
      'a jump to nowhere',
      wrap('B NOWHERE'),
      't.litmus:6: expected a label of this thread, found "B NOWHERE"',
    ],
    [
      'a field that is no bit',
      wrap('NOP', 'pte_x=(valid:7);'),
      't.litmus:3: expected 0 or 1 as the value of valid, found "7"',
    ],
    [
      'an immediate of more than 64 bits',
      wrap('MOV X0,#100000000000000000000000000'),
      't.litmus:6: expected an immediate of at most 64 bits, found "MOV X0,#100000000000000000000000000"',
    ],
    [
      'a value of more than 64 bits',
      wrap('NOP', 'x=0x10000000000000000;'),
      't.litmus:3: expected a number of at most 64 bits, found "0x10000000000000000"',
    ],
    [
      'two values of one place',
      wrap('NOP', 'x=1; [x]=2;'),
      't.litmus:3: expected one value for each place, found [x] again',
    ],
    [
      'two values of one register',
      wrap('NOP', '0:X1=1; 0:W1=2;'),
      't.litmus:3: expected one value for each place, found 0:X1 again',
    ],
    [
      'a shift beyond the register',
      wrap('ADD X0,X1,X2,LSL #64'),
      't.litmus:6: expected a shift by 0 to 63, found "ADD X0,X1,X2,LSL #64"',
    ],
    [
      'a bit beyond the register',
      wrap('L: TBZ W0,#32,L'),
      't.litmus:6: expected a number below 32, found "TBZ W0,#32,L"',
    ],
    [
      'a value that is a label of no thread',
      wrap('NOP', '0:X0=P0:L7;'),
      't.litmus:3: expected a label of a thread, found "P0:L7"',
    ],
    [
      'a jump out of the code',
      wrap('B .+12'),
      't.litmus:6: expected a label of this thread, found "B .+12"',
    ],
    [
      'a label twice',
      wrap('L: NOP ;\nL: NOP'),
      't.litmus:7: expected each label once per thread, found "L:" again',
    ],
    [
      'a fault of no thread',
      wrap('NOP', '', 'exists fault(L0,x)'),
      't.litmus:7: expected a thread such as P0, found "L0"',
    ],
    [
      'an unknown kind of hardware update',
      'AArch64 T\nTTHM=P0:HA HX\n{ }\nP0 ;\nNOP ;\nexists (true)\n',
      'inline.litmus:2: expected HA, HD or SW, or P0:HA, found "HX"',
    ],
    [
      'a thread at EL0 that is none',
      'AArch64 T\nEL0=P0, all\n{ }\nP0 ;\nNOP ;\nexists (true)\n',
      'inline.litmus:2: expected threads such as P0, found "all"',
    ],
  ])('%s', (_, source, message) => {
    expect(complaint(source)).toBe(message);
  });
});

describe('an unsupported test', () => {
  it.each([
    [
      'another architecture',
      'X86 T\n{ }\nP0 ;\nMOV EAX,$1 ;\nexists (true)\n',
      'line 1: architecture X86',
    ],
    [
      'a TLBI at EL0',
      'AArch64 T\nEL0=P0\n{ }\nP0 ;\nTLBI VMALLE1 ;\nexists (true)\n',
      'line 5: TLBI at EL0',
    ],
    [
      'an entry accessed at EL0',
      'AArch64 T\nEL0=P0\n{ 0:X1=PTE(x); }\nP0 ;\nLDR X0,[X1] ;\nexists (true)\n',
      'line 5: accesses to table entries at EL0',
    ],
    [
      'another variant',
      'AArch64 T\nVariant=memtag\n{ }\nP0 ;\nNOP ;\nexists (true)\n',
      'line 2: Variant=memtag',
    ],
    ['exclusive pairs', wrap('LDXP W1,W2,[X3]'), 'line 6: instruction LDXP'],
    [
      'an unknown descriptor field',
      wrap('NOP', 'pte_x=(colour:1);'),
      'line 3: descriptor field colour',
    ],
    [
      'an access outside an array',
      wrap('LDR W1,[X0,#8]', 'int v[2]; 0:X0=v;'),
      'line 6: an access 8 bytes into v',
    ],
    [
      'an access of half an element',
      wrap('LDRH W1,[X0]', 'int v[2]; 0:X0=v;'),
      'line 6: an access to 16 bits of v, whose elements have 32',
    ],
    [
      'a place outside its array',
      wrap('NOP', 'int v[2];', 'exists (v[2]=0)'),
      'line 7: v[2], which is outside its array',
    ],
    [
      'a register of no thread',
      wrap('NOP', '', 'locations [1:X0;] exists (true)'),
      'a register of P1, which has no code',
    ],
    [
      'a fault of no thread that is there',
      wrap('NOP', '', 'exists fault(P1)'),
      'a fault of P1, which has no code',
    ],
    [
      'a fault at no label',
      wrap('NOP', '', 'exists fault(P0:L0)'),
      'a fault at P0:L0, which is no label',
    ],
    ['a vector register', wrap('LDR Q1,[X0]', '0:X0=x;'), 'line 6: register Q1'],
    [
      'parentheses without end',
      wrap('NOP', '', `exists ${'('.repeat(100_000)}true${')'.repeat(100_000)}`),
      'line 7: conditions nested deeper than 500',
    ],
    [
      'an access by physical address',
      wrap('LDR W1,[X0]', '0:X0=PA(x);'),
      'line 6: an access to address PA(x)',
    ],
    ['half a descriptor', wrap('LDR W1,[X0]', '0:X0=PTE(x);'), 'line 6: 32 bits of (oa:PA(x))'],
    [
      'arithmetic on a descriptor',
      wrap('ORR X1,X0,#2', '0:X0=(oa:PA(x));'),
      'line 6: ORR of (oa:PA(x)) and 2',
    ],
    [
      'a TLBI of something else',
      wrap('TLBI VAAE1IS,X0', '0:X0=x;'),
      'line 6: TLBI of x, which is not a page of a symbol',
    ],
    [
      'a fault on an entry',
      wrap('NOP', '', 'exists fault(P0,PTE(x))'),
      'line 7: faults on table entries',
    ],
  ])('%s', (_, source, message) => {
    expect(complaint(source)).toBe(message);
  });
});
