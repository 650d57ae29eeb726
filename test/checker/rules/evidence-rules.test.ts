/**
 * Each rule that judges evidence: one run it accuses, with the sentence, and the nearest run that
 * it must not.
 */
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/result/evidence.ts';
import { freedTable } from '../../../src/checker/rules/freed-table.ts';
import { lostAccess } from '../../../src/checker/rules/lost-access.ts';
import { lostDirty } from '../../../src/checker/rules/lost-dirty.ts';
import { progress } from '../../../src/checker/rules/progress.ts';
import { refcount } from '../../../src/checker/rules/refcount.ts';
import { staleTranslation } from '../../../src/checker/rules/stale-translation.ts';
import { tableLeak } from '../../../src/checker/rules/table-leak.ts';
import { tlbConflict } from '../../../src/checker/rules/tlb-conflict.ts';
import { tornDescriptor } from '../../../src/checker/rules/torn-descriptor.ts';
import { wrongOutputAddress } from '../../../src/checker/rules/wrong-output-address.ts';
import { wrongPermission } from '../../../src/checker/rules/wrong-permission.ts';
import { vmidIsolation } from '../../../src/checker/rules/vmid-isolation.ts';
import type { RuleChecker } from '../../../src/checker/run-record.ts';
import { judge } from '../run-builder.ts';

const where = { vcpu: 1, round: 3, ipa: 0x4000_1000 };
const end = { vcpu: null, round: null, ipa: null };
const version = (tag: number, oldest: number, newest: number): Evidence => ({
  ...where,
  kind: 'version',
  tag,
  allowed: { oldest, newest },
  via: 'stage2',
  level: 3,
});
const conflict = (aborted: boolean): Evidence => ({
  ...where,
  kind: 'conflict',
  aborted,
  levels: [3, 2],
});
const freed: Evidence = {
  ...where,
  kind: 'freed',
  reader: 'hardware',
  table: 17,
  expectedGeneration: 4,
  foundGeneration: 5,
  poisoned: true,
};

interface Case {
  readonly checker: RuleChecker;
  readonly guilty: Evidence;
  readonly why: string;
  /** Evidence of the same run that is another rule's business, or nobody's. */
  readonly innocent: readonly Evidence[];
}

const CASES: readonly Case[] = [
  {
    checker: lostAccess,
    guilty: { ...where, kind: 'value', found: 0x10, expected: 0x11, when: 'load' },
    why: 'a load of vCPU 1 at IPA 0x40001000 returned 0x10 but its last store there was 0x11',
    innocent: [freed],
  },
  {
    checker: lostAccess,
    guilty: { ...where, kind: 'value', found: 0x10, expected: 0x11, when: 'end' },
    why:
      'at the end the word of vCPU 1 at IPA 0x40001000 held 0x10 but its last store there was ' +
      '0x11',
    innocent: [],
  },
  {
    checker: staleTranslation,
    guilty: version(15, 17, 18),
    why:
      'vCPU 1 used a translation of version 15 at IPA 0x40001000, 2 versions older than the ' +
      'oldest still allowed (17); it came from a stage-2 TLB entry of level 3',
    innocent: [version(3, 17, 18)],
  },
  {
    checker: wrongOutputAddress,
    guilty: {
      ...where,
      kind: 'address',
      found: 0x9000_0000,
      expected: 0x8000_1000,
      via: 'walk',
      level: 2,
    },
    why:
      'vCPU 1 at IPA 0x40001000 was sent to output address 0x90000000, no version of the mapping ' +
      'gives other than 0x80001000; it came from a table walk of level 2',
    innocent: [version(15, 17, 18)],
  },
  {
    checker: wrongOutputAddress,
    guilty: version(3, 17, 18),
    why:
      'vCPU 1 at IPA 0x40001000 used a translation whose software bits [58:55] are 3, and no version ' +
      'of the mapping has these (allowed: 17 to 18); it came from a stage-2 TLB entry of level 3',
    innocent: [],
  },
  {
    checker: wrongPermission,
    guilty: { ...where, kind: 'permission', found: 'rw', expected: 'r-', via: 'combined' },
    why:
      'vCPU 1 at IPA 0x40001000 was given permission rw where every version of the mapping has ' +
      'r-; it came from a combined TLB entry',
    innocent: [conflict(true)],
  },
  {
    checker: tornDescriptor,
    guilty: { ...where, kind: 'torn', descriptor: 0x8000_0443n, level: 3 },
    why:
      'vCPU 1 at IPA 0x40001000 read the level-3 descriptor 0x80000443, whose halves come from ' +
      'two stores',
    innocent: [freed],
  },
  {
    checker: freedTable,
    guilty: freed,
    why:
      'the table walker of vCPU 1 at IPA 0x40001000 read table page 17 after it was freed: found ' +
      'poison (generation 5, expected 4)',
    innocent: [{ ...end, kind: 'leak', tables: 1 }],
  },
  {
    checker: freedTable,
    guilty: { ...freed, reader: 'update' },
    why:
      'a hardware update of access flag or dirty state by vCPU 1 at IPA 0x40001000 reached table ' +
      'page 17 after it was freed: found poison (generation 5, expected 4)',
    innocent: [{ ...end, kind: 'leak', tables: 1 }],
  },
  {
    checker: tlbConflict,
    guilty: conflict(true),
    why:
      'vCPU 1 at IPA 0x40001000 took a TLB conflict abort: entries of levels 2 and 3 match, and ' +
      'the protocol does not claim handlesConflict',
    innocent: [conflict(false)],
  },
  {
    checker: lostDirty,
    guilty: { ...where, kind: 'dirty', copied: 0x10, inMemory: 0x12 },
    why:
      'the migration ended with 0x10 in the word of vCPU 1 at IPA 0x40001000, where memory holds ' +
      '0x12: a store that the dirty log does not know of',
    innocent: [{ ...where, kind: 'value', found: 0x10, expected: 0x11, when: 'end' }],
  },
  {
    checker: vmidIsolation,
    guilty: { ...where, kind: 'foreign', found: 0x8000_1000, expected: 0x9000_1000 },
    why:
      'the second VM on vCPU 1 at IPA 0x40001000 was sent to 0x80001000, memory of the VM that had ' +
      'its VMID before; its own is 0x90001000: the VMID was reused without TLBI ALLE1IS',
    innocent: [freed],
  },
  {
    checker: vmidIsolation,
    guilty: { ...where, kind: 'neighbour' },
    why:
      'the second VM on vCPU 1 lost its TLB entry at IPA 0x40001000, though nothing was flushed but ' +
      'the first VM: a TLBI named the wrong VMID',
    innocent: [{ ...where, kind: 'dirty', copied: 0, inMemory: 1 }],
  },
  {
    checker: tableLeak,
    guilty: { ...end, kind: 'leak', tables: 3 },
    why: '3 table page(s) neither free nor reachable from the root at the end',
    innocent: [freed],
  },
  {
    checker: refcount,
    guilty: { ...end, kind: 'refcount', table: 0x12, found: 3, expected: 2 },
    why: 'table page 0x12 has count 3, but 1 + its valid entries is 2: a put is missing',
    innocent: [{ ...end, kind: 'leak', tables: 1 }],
  },
  {
    checker: refcount,
    guilty: { ...end, kind: 'refcount', table: 0x12, found: 1, expected: 2 },
    why:
      'table page 0x12 has count 1, but 1 + its valid entries is 2: a get is missing or a put ' +
      'too many',
    innocent: [],
  },
  {
    checker: refcount,
    guilty: {
      ...{ ...end, kind: 'refcount', table: 0x12, found: 0, expected: 1 },
      misuse: 'counted-while-free',
    },
    why:
      'get_page or put_page of an entry of table page 0x12, which is free: its count is ' +
      "nobody's then",
    innocent: [],
  },
  {
    checker: progress,
    guilty: { vcpu: 2, round: 3, ipa: null, kind: 'progress', waitedMs: 2000 },
    why: 'vCPU 2 did not finish its accesses within 2000 ms after the hypervisor had stopped',
    innocent: [conflict(true)],
  },
];

describe.each(CASES)('$checker.rule', ({ checker, guilty, why, innocent }) => {
  it(`is violated: ${why}`, () => {
    const { vcpu, round, ipa } = guilty;
    expect(judge(checker, { evidence: [guilty] })).toMatchObject([
      { rule: checker.rule, why, vcpu, round, ipa },
    ]);
  });

  it('is not violated by what is not its business', () => {
    expect(judge(checker, { evidence: innocent })).toEqual([]);
  });
});

it('tlb-conflict: a protocol that handles the abort may have it', () => {
  const claims = { handlesConflict: true };
  expect(judge(tlbConflict, { evidence: [conflict(true)], claims })).toEqual([]);
});

it('lost-access: what was issued is completed or in flight, both ways', () => {
  const lost = judge(lostAccess, { accounting: { issued: 10, completed: 7, inFlight: 1 } });
  expect(lost).toMatchObject([
    {
      count: 2,
      why:
        '2 access(es) neither completed nor are in flight (10 issued, 7 completed, ' +
        '1 in flight)',
    },
  ]);
  const invented = judge(lostAccess, { accounting: { issued: 7, completed: 8, inFlight: 0 } });
  expect(invented).toMatchObject([{ count: 1, why: expect.stringMatching(/nobody issued/) }]);
});

it('a tag that was allowed is not evidence but a bug of the engine', () => {
  expect(() => judge(wrongOutputAddress, { evidence: [version(1, 17, 18)] })).toThrow(/allowed/);
});
