import { describe, expect, it } from 'vitest';
import { parseLog } from '../../src/casemate/reading/parse.ts';
import { LogSyntaxError } from '../../src/casemate/reading/tokens.ts';

const events = (text: string) => [...parseLog(text)];
const problem = (text: string): string => {
  try {
    events(text);
  } catch (error) {
    expect(error).toBeInstanceOf(LogSyntaxError);
    return `${(error as LogSyntaxError).line}: ${(error as LogSyntaxError).message}`;
  }
  return '';
};

describe('a log', () => {
  it('may name its fields or not, over several lines or one', () => {
    const named =
      '(mem-write\n  (id 1)\n  (tid 2)\n  (mem-order release)\n  (address 0x10) (value 2a)\n  (src "m.c:7"))';
    const [record] = events(`\n${named}`);
    expect(record).toEqual({
      line: 2,
      id: 1,
      thread: 2,
      event: { op: 'write', order: 'release', address: 16, value: 42n },
      source: 'm.c:7',
      task: null,
    });
    expect(events('(mem-write 1 2 "m.c:7" RELEASE 10 2a)')).toEqual([{ ...record, line: 1 }]);
  });

  it('may have every kind of event', () => {
    const text = [
      '(mem-init (id 0) (tid 0) (address 1000) (size 1000))',
      '(mem-free (id 0) (tid 0) (address 1000) (size 1000))',
      '(mem-set (id 0) (tid 0) (address 1000) (size 8) (value ff))',
      '(mem-read (id 0) (tid 0) (address 1000) (value ffffffffffffffff))',
      '(barrier (id 0) (tid 0) isb)',
      '(barrier (id 0) (tid 0) dsb (kind sy))',
      '(tlbi (id 0) (tid 0) ipas2e1is (value 300000000000) (src 12))',
      '(tlbi (id 0) (thread 0) alle1is)',
      '(sysreg-write (id 0) (tid 0) (sysreg vttbr_el2) (value 1))',
      '(msr 0 0 "s" vtcr_el2 1)',
      '(hint (id 0) (tid 0) (kind set_owner_root) (location 1000) (value 2000))',
      '(lock (id 0) (tid 0) (address 1001))',
      '(trylock 0 0 1)',
      '(unlock 0 0 1)',
      '! BBM valid->valid',
    ];
    expect(events(text.join('\n')).map(({ event }) => event.op)).toEqual(
      'init free set read isb dsb tlbi tlbi sysreg sysreg hint lock trylock unlock'.split(' '),
    );
    expect(events(text[6] ?? '')[0]).toMatchObject({
      source: '12',
      event: { value: 0x3000_0000_0000n },
    });
    expect(events('')).toEqual([]);
  });
});

describe('what is malformed is told with its line and what was expected', () => {
  it.each([
    ['mem-write', '1: expected "(" at the start of a record, got "mem-write"'],
    ['(lock 0 0 1)\n(mem-wrote 1 2)', '2: expected a kind of event (mem-init, mem-free, '],
    ['(lock (id x) (tid 0) (address 1))', '1: expected a decimal number for id, got "x"'],
    ['(lock (id 0)\n (address 1))', '2: expected the field tid, got "address"'],
    ['(mem-write 0 0 sloppy 8 1)', '1: expected a memory order (plain, release), got "sloppy"'],
    [
      '(mem-write 0 0 plain 9 1)',
      '1: expected address below 0x10000000000000, a multiple of 8, got 0x9',
    ],
    [
      '(mem-write 0 0 plain 8 1ffffffffffffffff)',
      '1: expected a hexadecimal number of 64 bits for value',
    ],
    ['(mem-write 0 0 plain 8 -1)', 'for value, got "-1"'],
    ['(barrier 0 0 dmb (kind ish))', '1: expected a barrier (dsb, isb), got "dmb"'],
    [
      '(barrier 0 0 dsb (kind osh))',
      '1: expected a kind of DSB (ish, ishst, nsh, nshst, sy), got "osh"',
    ],
    ['(tlbi 0 0 vmalls12)', '1: expected a TLBI operation (vmalls12e1, '],
    ['(tlbi 0 0 ipas2e1is)', '1: expected a hexadecimal number of 64 bits for value, got ")"'],
    ['(sysreg-write 0 0 ttbr9 1)', '1: expected a system register (vttbr_el2, '],
    ['(lock 0 0 1', '1: expected ")" at the end of the record lock, got the end of the log'],
    ['(lock 0 0 1 "a" "b")', '1: expected ")" at the end of the record lock, got the string "b"'],
    ['(lock 0 0 1 (source "a"))', '1: expected the field src, got "source"'],
    ['(lock 0 0 1 (src "a)\n)', '1: expected a closing quote before the end of the line'],
    ['(mem-set 0 0 0 100000000 0)', '1: expected size below 0x40000000'],
  ])('%j', (text, sentence) => {
    expect(problem(text)).toContain(sentence);
  });
});
