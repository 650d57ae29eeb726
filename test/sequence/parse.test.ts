/** The grammar of docs/sequences.md: what it takes, in both spellings, and what it says of the rest. */
import { describe, expect, test } from 'vitest';
import {
  parseSequence,
  SequenceError,
  type Step,
  writeSequence,
} from '../../src/sequence/index.ts';

const steps = (text: string): unknown[] => parseSequence(text).steps.map(withoutPlace);

function withoutPlace({ at: _at, ...action }: Step): unknown {
  if (action.op !== 'each-page' && action.op !== 'try-allocate') return action;
  return { ...action, steps: action.steps.map(withoutPlace) };
}

test('a sequence of a mail', () => {
  const text =
    'str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block; free child after grace';
  expect(steps(text)).toMatchObject([
    { op: 'store', order: 'plain', value: '0', child: null },
    { op: 'dsb', kind: 'ishst' },
    { op: 'tlbi', kind: 'vmalls12e1is', address: null, ttl: null, vmid: null },
    { op: 'dsb', kind: 'ish' },
    { op: 'isb' },
    { op: 'store', order: 'plain', value: 'block', child: null },
    { op: 'free', part: 'all', when: 'grace' },
  ]);
  expect(parseSequence(text)).toMatchObject({ kind: 'coalesce', lock: 'exclusive', name: null });
});

test('the context: whose it begins in, and its registers', () => {
  const text = 'context: vhe-host; str 0; dsb ishst; VTTBR guest; tge off; isb; vttbr host';
  const sequence = parseSequence(text);
  expect(sequence.context).toBe('vhe-host');
  expect(steps(text).slice(2)).toEqual([
    { op: 'vttbr', table: 'guest' },
    { op: 'tge', on: false },
    { op: 'isb' },
    { op: 'vttbr', table: 'host' },
  ]);
  expect(parseSequence(writeSequence(sequence))).toMatchObject({ context: 'vhe-host' });
  expect(writeSequence(sequence)).toBe(text.toLowerCase());
  expect(() => parseSequence('context: el2; str 0')).toThrow(/guest, nvhe-host, vhe-host/);
});

test('each step has its line and column', () => {
  const { steps: found } = parseSequence('# a comment\n\n  str 0 ; dsb ishst\nisb // done\n');
  expect(found.map(({ at }) => [at.line, at.column])).toEqual([
    [3, 3],
    [3, 11],
    [4, 1],
  ]);
});

test('heads, and steps behind split: on one line', () => {
  const text =
    'name: my-split; lock: shared\nclaims: never-invalid, handles-conflict\norigin: a mail; split: alloc child; str table';
  const { steps: found, ...head } = parseSequence(text);
  expect(head).toEqual({
    name: 'my-split',
    kind: 'split',
    lock: 'shared',
    claims: { neverInvalid: true, handlesConflict: true },
    summary: null,
    origin: 'a mail',
  });
  expect(found).toHaveLength(2);
});

test.each([
  ['STR 0', 'str 0'],
  ['str xzr', 'str 0'],
  ['WRITE_ONCE(*ptep, 0)', 'str 0'],
  ['smp_store_release(ptep, block)', 'stlr block'],
  ['cmpxchg(ptep, old, locked)', 'cas locked'],
  ['str 0; cmpxchg(ptep, block)', 'str 0; cas block'],
  ['str 0; READ_ONCE(*ptep); cmpxchg(ptep, old, block)', 'str 0; ldr; cas block'],
  ['str 0, child[1]; cmpxchg(ptep, old, locked)', 'str 0, child[1]; cas locked'],
  ['\uFEFFstr 0', 'str 0'],
  ['str block|nT', 'str block+nt'],
  ['str block + nt', 'str block+nt'],
  ['str child[1], 0', 'str 0, child[1]'],
  ['str 0 child[1]', 'str 0, child[1]'],
  ['READ_ONCE(*ptep)', 'ldr'],
  ['dsb(ishst)', 'dsb ishst'],
  ['isb()', 'isb'],
  ['__tlbi(vmalls12e1is)', 'tlbi vmalls12e1is'],
  ['TLBI IPAS2E1IS, X0', 'tlbi ipas2e1is, ipa'],
  ['tlbi ipas2e1is ipa ttl=2', 'tlbi ipas2e1is, ipa, ttl=2'],
  ['__tlbi_level(ipas2e1is, ipa, 2)', 'tlbi ipas2e1is, ipa, ttl=2'],
  ['tlbi ipas2e1is, ipa + 1 pages', 'tlbi ipas2e1is, ipa+1 pages'],
  ['tlbi ripas2e1is, range', 'tlbi ripas2e1is, range'],
  ['tlbi vmalls12e1is, vmid=other', 'tlbi vmalls12e1is, vmid=other'],
  ['for each page { tlbi ipas2e1is, page }', 'each page { tlbi ipas2e1is, ipa }'],
  ['kvm_call_hyp(__kvm_tlb_flush_vmid, mmu)', 'dsb ishst; tlbi vmalls12e1is; dsb ish; isb'],
  ['for each mapped page { STR 0, CHILD[PAGE] }', 'each mapped page { str 0, child[page] }'],
  [
    'gather; tlbi ripas2e1is gathered ttl=gathered',
    'gather; tlbi ripas2e1is, gathered, ttl=gathered',
  ],
  ['split: TRY ALLOC CHILD ELSE { put; }', 'split: try alloc child else { put }'],
  ['split: try alloc empty child; put child[0]', 'split: try alloc empty child; put child[0]'],
  [
    'kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, addr, level)',
    'dsb ishst; tlbi ipas2e1is, ipa, ttl=level; dsb ish; tlbi vmalle1is; dsb ish; isb',
  ],
  [
    'kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, addr, 3)',
    'dsb ishst; tlbi ipas2e1is, ipa, ttl=3; dsb ish; tlbi vmalle1is; dsb ish; isb',
  ],
  [
    'kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, addr, TLBI_TTL_UNKNOWN)',
    'dsb ishst; tlbi ipas2e1is, ipa, ttl=0; dsb ish; tlbi vmalle1is; dsb ish; isb',
  ],
  [
    'kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, addr, pages)',
    'dsb ishst; tlbi ripas2e1is, range; dsb ish; tlbi vmalle1is; dsb ish; isb',
  ],
  [
    'kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, addr, 2)',
    'dsb ishst; tlbi ripas2e1is, ipa+2 pages; dsb ish; tlbi vmalle1is; dsb ish; isb',
  ],
])('%s is %s', (spelt, meant) => {
  expect(writeSequence(parseSequence(spelt))).toBe(meant);
  expect(steps(meant)).toEqual(steps(spelt));
});

test('one step a line, as a file has them, reads back as the same', () => {
  const text =
    'split: try alloc child else { get; put }; str old+nt; ' +
    'each page { tlbi ipas2e1is, ipa; dsb ish }; stlr table';
  const sequence = parseSequence(text);
  const lines = writeSequence(sequence, { lines: true });
  expect(lines.split('\n')).toContain('  tlbi ipas2e1is, ipa');
  expect(writeSequence(parseSequence(lines))).toBe(writeSequence(sequence));
});

/** Text, line and column of what is wrong, and words that the message has. */
const BAD: readonly (readonly [string, number, number, string])[] = [
  ['', 1, 1, 'no step at all'],
  ['# nothing but a comment', 1, 1, 'no step at all'],
  ['dbs ish', 1, 1, 'there is no step "dbs": there are str'],
  ['__kvm_tlb_flush_vmid', 1, 1, '__tlbi(), kvm_call_hyp()'],
  ['str 0; dsb sy', 1, 12, 'dsb is one of ish, ishst, nsh, nshst, not "sy"'],
  ['str 0; dsb', 1, 11, 'not the end of the step'],
  ['str', 1, 4, 'str stores one of 0, invalid'],
  ['str page', 1, 5, 'not "page"'],
  ['str 1', 1, 5, 'not "1"'],
  ['str block+xx', 1, 11, '"nt" is missing before "xx"'],
  ['str 0 1', 1, 7, 'str ends before "1": put ;'],
  ['str 0, block', 1, 8, 'str goes to the entry or to child[N], not to "block"'],
  ['str xzr, [x0]', 1, 10, 'not to "[": of the entry write no address (str 0)'],
  ['str 0, dsb ish', 1, 8, 'not to "dsb": of the entry write no address (str 0), and ; between'],
  ['set_pte(ptep, 0)', 1, 1, "and of the kernel's words WRITE_ONCE(), smp_store_release()"],
  ['str table, child[0]', 1, 5, 'str to a child stores'],
  ['str 0, child[x]', 1, 14, 'N of child[N] is a whole number'],
  ['str 0, child[1', 1, 15, '"]" is missing'],
  ['cmpxchg(ptep, 0, block)', 1, 15, 'compares with old, not with "0"'],
  ['str 0; cmpxchg(ptep, old, block)', 1, 8, 'the entry holds old no more, it was stored to'],
  ['str 0; cmpxchg(ptep, old, block)', 1, 8, 'read_once(*ptep) before it'],
  [
    'each mapped page { str 0, child[page]; cmpxchg(child[page], old, 0) }',
    1,
    40,
    'child[page] holds',
  ],
  ['WRITE_ONCE(*ptep, 0', 1, 20, '")" is missing'],
  ['WRITE_ONCE(*page, 0)', 1, 13, '*ptep is the entry'],
  ['tlbi', 1, 5, 'tlbi needs an operation: vmalls12e1is'],
  ['tlbi foo', 1, 6, 'there is no TLBI "foo" here'],
  ['tlbi vae1is', 1, 6, 'there are vmalls12e1is'],
  ['tlbi ipas2e1is', 1, 6, 'needs an address: write tlbi ipas2e1is, ipa'],
  ['tlbi ipas2e1is, range', 1, 17, 'each page { tlbi ipas2e1is, ipa }'],
  ['tlbi ipas2e1is, ipa, ttl=4', 1, 26, 'ttl is one of 0, 1, 2, 3'],
  ['tlbi ipas2e1is, ipa, ttl 2', 1, 26, '"=" is missing'],
  ['tlbi ripas2e1is, ipa', 1, 18, 'write range or ipa+N pages'],
  ['tlbi ripas2e1is, ipa+0 pages', 1, 18, 'one page at least'],
  ['tlbi vmalls12e1is, ipa', 1, 20, 'takes no address'],
  ['tlbi vmalle1is, ttl=2', 1, 17, 'takes no ttl'],
  ['tlbi vmalls12e1is, vmid=mine', 1, 25, 'vmid is one of other'],
  ['tlbi ipas2e1is, ipa, ttl=2, ttl=0', 1, 29, 'tlbi ipas2e1is has its ttl'],
  ['__tlbi_level(ipas2e1is, ipa, 2, ttl=0)', 1, 33, 'tlbi ipas2e1is has its ttl'],
  ['tlbi vmalls12e1is, vmid=other, vmid=other', 1, 32, 'has its vmid'],
  ['\uFEFFstr 0; dsb sy', 1, 12, 'dsb is one of'],
  ['str 0;\uFEFF', 1, 7, 'belongs to no step'],
  ['tlbi alle1is, vmid=other', 1, 15, 'every VMID'],
  ['each page { tlbi ipas2e1is, ipa', 1, 11, 'has no end'],
  ['each page { }', 1, 11, 'has no step in it'],
  ['each page tlbi', 1, 11, '"{" is missing'],
  ['str 0\n}', 2, 1, 'ends no loop'],
  ['str 0, child[page]', 1, 1, 'child[page] stands in each mapped page { … }'],
  ['each page { put child[page] }', 1, 13, 'which looks at the entry first'],
  ['each mapped page { each page { ldr child[page] } }', 1, 20, 'stands in a loop over pages'],
  ['each mapped { isb }', 1, 13, '"page" is missing before "{"'],
  ['split: each mapped page { isb }; alloc child', 1, 8, 'has to be made first: alloc child'],
  ['tlbi ripas2e1is, gathered', 1, 1, 'gather has to come before it'],
  ['tlbi ripas2e1is, range, ttl=gathered', 1, 1, 'gather has to come before it'],
  ['gather; tlbi ipas2e1is, gathered', 1, 25, 'write tlbi ripas2e1is, gathered'],
  ['try alloc child', 1, 1, 'a coalesce has its child table'],
  ['split: try free child', 1, 12, '"alloc" is missing before "free"'],
  ['split: try alloc child or put', 1, 24, 'write else { … }, or put ;'],
  ['split: try alloc child else put', 1, 29, '"{" is missing'],
  ['split: try alloc child else { }', 1, 29, 'has no step in it'],
  ['split: try alloc child else { put', 1, 29, 'has no end'],
  ['split: try alloc child else { free child }', 1, 31, 'alloc child has to come first'],
  ['split: try alloc child; alloc child', 1, 25, 'twice'],
  ['free', 1, 5, '"child" is missing'],
  ['free child after lunch', 1, 18, '"grace" is missing'],
  ['str 0; split: str table', 1, 8, 'stands before the first step'],
  ['split: str table', 1, 8, 'has to be made first: alloc child'],
  ['split: alloc child; alloc child', 1, 21, 'twice'],
  ['alloc child', 1, 1, 'a coalesce has its child table'],
  ['split: coalesce: str 0', 1, 8, 'the kind was said before: split'],
  ['split: merge', 1, 8, 'a split has no pages'],
  ['map: merge', 1, 6, 'a map has no pages'],
  ['each page { each page { ldr } }', 1, 13, 'each page { … } stands in a loop over pages already'],
  ['map: free child', 1, 6, 'a map has no child table'],
  ['unmap: str block', 1, 8, 'an unmap maps nothing'],
  ['unmap: str block+nt', 1, 8, 'an unmap maps nothing'],
  ['kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, addr, 4)', 1, 51, 'a level is 0 to 3, not "4"'],
  ['kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, addr, 0)', 1, 53, '1 to 262144 pages'],
  ['kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, addr, 262145)', 1, 53, '1 to 262144 pages'],
  ['claims: never-wrong', 1, 9, 'claims is one of'],
  ['lock: none', 1, 7, 'lock is one of exclusive, shared'],
  ['name: My_Sequence; str 0', 1, 7, 'joined by hyphens'],
  ['origin:', 1, 1, 'one line of text is missing'],
  ['kvm_call_hyp(__kvm_flush)', 1, 14, 'kvm_call_hyp is one of'],
  ['str 0; "dsb"', 1, 8, 'belongs to no step'],
  ['str 0 → dsb', 1, 7, 'belongs to no step'],
];

describe('what is wrong is said with its place and what would be right', () => {
  test.each(BAD)('%j', (text, line, column, words) => {
    let error: unknown = null;
    try {
      parseSequence(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SequenceError);
    const { at, message } = error as SequenceError;
    expect(message).toContain(words);
    expect(message).not.toContain('\n');
    expect(at).toEqual({ line, column });
  });
});

test('a file that is no sequence is not read to its end', () => {
  expect(() => parseSequence('isb;'.repeat(20_000))).toThrow('at most 65536');
});
