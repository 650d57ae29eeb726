/** A protocol in C while it runs: what it may do, what is refused, and with which line. */
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { explore } from 'stage2-stress';
import { loadProtocolFile } from '../../src/request/protocol-file.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { loadC } from '../../src/native/index.ts';
import { HEADER } from '../../src/native/source-tree.ts';
import { DMB_KINDS, DSB_KINDS, type Protocol } from '../../src/port/index.ts';
import { foreignTextOf } from '../../src/port/foreign.ts';
import { TLBI_KINDS } from '../../src/arch/tlbi.ts';
import { readFileSync } from 'node:fs';
import { folderWith, HEAD, noCompiler, runWith } from './compiled.ts';

/** One fault for each BBM level, so that one file is compiled. */
const FAULTS = runWith(
  `switch (t->bbm) {
  case 0:
    peek(t->ptep);
    break;
  case 1:
    WRITE_ONCE(*nowhere, deep(1000000));
    break;
  case 2:
    kvm_set_invalid_pte(nowhere, 0);
    break;
  case 3:
    BUG_ON(t->level);
  }`,
  `static kvm_pte_t *nowhere;
static u64 seen;

static inline void peek(kvm_pte_t *ptep)
{
  seen += *ptep;
}

__attribute__((noinline)) static u64 deep(u32 n)
{
  volatile u64 frame[64];

  frame[n % 64] = n;
  return n == 0 ? 0 : deep(n - 1) + frame[n % 64];
}
`,
);

describe.skipIf(noCompiler !== null)('a fault in C names its line', () => {
  let file: string;
  let protocol: Protocol;
  beforeAll(async () => {
    file = path.join(folderWith({ 'faults.c': FAULTS }), 'faults.c');
    protocol = (await loadC(file)).protocol as Protocol;
  });
  const lineOf = (word: string): number =>
    FAULTS.split('\n').findIndex((line) => line.includes(word)) + 1;

  test.each<[0 | 1 | 2 | 3, string, RegExp]>([
    [0, 'seen += *ptep', /threw: a plain access .* entries of tables are read by READ_ONCE\(\)/],
    [1, 'frame[n % 64] = n', /threw: more than 16 KiB of C stack/],
    [2, 'kvm_set_invalid_pte(nowhere', /threw: WRITE_ONCE: NULL \(0x0\) is no table entry/],
    [3, 'BUG_ON(t->level)', /threw: BUG_ON\(\), or code that C leaves undefined, was reached/],
  ])('bbm=%i', (bbm, word, says) => {
    const run = (): unknown => exploreProtocol({ protocol, cpu: { bbm: [bbm] } });
    expect(run).toThrow(says);
    expect(run).toThrow(new RegExp(`\\(${RegExp.escape(file)}:${lineOf(word)}:\\d+\\)$`));
  });
});

describe.skipIf(noCompiler !== null)('a protocol in C', () => {
  const KEEPS = runWith(
    `u64 mine[2] = { 1, 2 };
  u64 again = 0;

  /* Statics and stack are those of a first run; memory of its own is no table entry. */
  if (runs++ != 0 || told != 7)
    WRITE_ONCE(*t->ptep, 0);
  WRITE_ONCE(told, 8);
  WRITE_ONCE(mine[t->level & 1], READ_ONCE(mine[0]) + (u64)READ_ONCE(told));
  again = READ_ONCE(mine[0]);
  if (again != 9 || smp_load_acquire(&mine[1]) != 2 || kvm_granule_size(3) != PAGE_SIZE)
    BUG();
  if (READ_ONCE(*t->ptep) != t->old)
    return;`,
    'static u32 runs;\nstatic u32 told = 7;\n',
  );
  let file: string;
  beforeAll(() => {
    file = path.join(folderWith({ 'keeps.c': KEEPS }), 'keeps.c');
  });

  test('finds statics and stack as they were, however often it is run', async () => {
    const { runs } = await explore({ protocol: file });
    expect(runs[0]).toMatchObject({ protocol: 'mine', verdict: 'safe' });
    const { protocol } = await loadProtocolFile(file);
    expect(exploreProtocol({ protocol }).verdict).toBe('safe');
    expect(exploreProtocol({ protocol, cpu: { bbm: [2] } }).verdict).toBe('safe');
  });

  test('counts its lines, and knows where it is', async () => {
    const { protocol } = await loadProtocolFile(file);
    const text = foreignTextOf(protocol);
    expect(text?.lines).toBe(17);
    const places: number[] = [];
    const note = (): bigint => {
      places.push(text?.place?.()?.line ?? 0);
      return 0n;
    };
    const cpu = new Proxy({}, { get: () => note }) as Parameters<Protocol['run']>[0];
    const tables = new Proxy(
      {},
      { get: (_, name) => (name === 'entries' ? 2 : () => (name === 'mergeState' ? 1n : 0)) },
    );
    const t = { entry: 1, level: 2, ipa: 0, size: 8192, old: 0n, wanted: 1n, pa: 0, bbm: 1 };
    protocol.run(
      cpu,
      t as Parameters<Protocol['run']>[1],
      tables as Parameters<Protocol['run']>[2],
    );
    const lines = KEEPS.split('\n');
    expect(places.map((line) => lines[line - 1]?.trim())).toEqual([
      'if (READ_ONCE(*t->ptep) != t->old)',
      'kvm_set_invalid_pte(t->ptep, t->old);',
      ...Array.from({ length: 4 }, () => 'kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);'),
      expect.stringContaining('smp_store_release(t->ptep'),
      'dsb(ishst);',
    ]);
  });
});

describe.skipIf(noCompiler !== null)('the context', () => {
  /** bbm-early-nvhe; at BBM level 0 without its ISB, on a table of nobody at 3. */
  const ENTERS = `#include "stage2-stress.h"
STAGE2_PROTOCOL {
  .name = "mine", .kind = "coalesce", .summary = "s", .origin = "a test",
  .context = STAGE2_NVHE_HOST, .vmid = 0x102,
};

static void run(const struct transition *t)
{
  kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

  kvm_set_invalid_pte(t->ptep, t->old);
  dsb(ish);
  if (t->bbm == 3)
    stage2_write_vttbr(t->mmu->vmid, 7);
  __load_stage2(t->mmu, t->mmu->arch);
  if (t->bbm != 0)
    isb();
  stage2_write_tge(false);
  __tlbi(vmalls12e1is);
  dsb(ish);
  __load_host_stage2();
  smp_store_release(t->ptep, t->new);
  stage2_tear_down(childp, t->level + 1);
  dsb(ishst);
}
`;

  test('is entered and left as in TypeScript, and what it says of itself arrives', async () => {
    const file = path.join(folderWith({ 'enters.c': ENTERS }), 'enters.c');
    const { protocol } = await loadProtocolFile(file);
    expect(protocol).toMatchObject({ context: 'nvhe-host', vmid: 0x102 });
    const explored = (bbm: 0 | 1 | 3): ReturnType<typeof exploreProtocol> =>
      exploreProtocol({ protocol, cpu: { bbm: [bbm] }, kinds: ['load'], accesses: 1 });
    expect(explored(1).verdict).toBe('safe');
    expect(explored(0).violations.map(({ rule }) => rule)).toContain('stale-translation');
    expect(() => explored(3)).toThrow(/stage2_write_vttbr: 7 is no table: STAGE2_GUEST,/);
  });
});

describe.skipIf(noCompiler !== null)('a TLBI by range with Xt as the instruction takes it', () => {
  /** Right at BBM level 0; at 1 its TG is of no granule, at 2 its NUM is too low, at 3 its address wrong. */
  const RANGE = `${HEAD}
static void run(const struct transition *t)
{
  kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);
  u64 pages = t->size >> PAGE_SHIFT, scale = 0, num;
  u64 tg = PAGE_SHIFT == 12 ? 1 : PAGE_SHIFT == 14 ? 2 : 3;

  while (pages > 32ULL << (5 * scale + 1))
    scale++;
  num = (pages >> (5 * scale + 1)) - 1;
  if (t->bbm == 1)
    tg = 0;
  if (t->bbm == 2 && num > 0)
    num--;
  kvm_set_invalid_pte(t->ptep, t->old);
  dsb(ishst);
  __tlbi(ripas2e1is, tg << 46 | scale << 44 | num << 39 | (u64)(t->level + 1) << 37 |
                     ((t->ipa >> PAGE_SHIFT) + (t->bbm == 3)));
  dsb(ish);
  __tlbi(vmalle1is);
  dsb(ish);
  isb();
  smp_store_release(t->ptep, stage2_merge_state(t->new, childp, t->level + 1));
  stage2_tear_down(childp, t->level + 1);
  dsb(ishst);
}
`;
  let protocol: Protocol;
  beforeAll(async () => {
    const file = path.join(folderWith({ 'range.c': RANGE }), 'range.c');
    protocol = (await loadC(file)).protocol as Protocol;
  });
  const whys = (bbm: 0 | 1 | 2 | 3): readonly string[] =>
    exploreProtocol({ protocol, cpu: { bbm: [bbm] } }).violations.map(({ why }) => why);

  test('covers NUM and SCALE from the base on', () => {
    expect(whys(0)).toEqual([]);
  });

  test.each<[1 | 2 | 3, RegExp]>([
    [1, /no stage-2 TLBI was complete before it|no TLBI came between/],
    [2, /in the 4K granule, .* does not cover the range/],
    [3, /does not cover the range|outside the entry's range/],
  ])('of bbm=%i does not', (bbm, why) => {
    expect(whys(bbm)[0]).toMatch(why);
  });
});

test('the header names operations in the order of the port', () => {
  const header = readFileSync(HEADER, 'utf8');
  const named = (family: string): string[] => {
    const [, body = ''] = new RegExp(`enum \\{([^}]*__s2s_${family}_[^}]*)\\}`).exec(header) ?? [];
    return [...body.matchAll(new RegExp(`__s2s_${family}_(\\w+)`, 'g'))].map(
      ([, kind]) => kind ?? '',
    );
  };
  expect(named('dsb')).toEqual(DSB_KINDS);
  expect(named('dmb')).toEqual(DMB_KINDS);
  expect(named('tlbi')).toEqual(TLBI_KINDS);
});
