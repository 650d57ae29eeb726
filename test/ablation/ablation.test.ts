/** Which step is needed: recorded steps, variants, rows and the tokens that show them. */
import { describe, expect, test } from 'vitest';
import { variantOn, variantsOn } from '../../src/exploration/ablate.ts';
import { splitVariantName, variantName } from '../../src/request/variant-name.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import {
  type Cpu,
  defineProtocol,
  EMPTY,
  flushIpa,
  flushVmid,
  isValid,
  type Protocol,
} from '../../src/port/index.ts';
import { describeCall } from '../../src/ablation/describe.ts';
import type { Variant } from '../../src/ablation/index.ts';
import { tapped } from '../../src/ablation/tap.ts';
import { ALL_PROTOCOLS } from '../../src/protocols/index.ts';
import type { AblationRow } from '../../src/result/explore.ts';
import { parseSequence, sequenceProtocol } from '../../src/sequence/index.ts';
import { ablated } from './tables.ts';

function named(name: string): Protocol {
  const protocol = ALL_PROTOCOLS.find((each) => each.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}

const short = ({ step, operation, change, to, needed }: AblationRow): unknown[] => [
  ...[step, operation, to ?? change, needed],
];

test('bbm-early: each barrier, and what it is there for', { timeout: 120_000 }, () => {
  const rows = ablated(named('bbm-early'), ['bbm=1']);
  expect(rows.map(short)).toEqual([
    [1, 'str invalid', 'omitted', true],
    [2, 'dsb ishst', 'omitted', true],
    [2, 'dsb ishst', 'dsb nshst', true],
    [3, 'tlbi vmalls12e1is', 'omitted', true],
    [3, 'tlbi vmalls12e1is', 'tlbi vmalls12e1', true],
    [3, 'tlbi vmalls12e1is', 'tlbi ipas2e1is, ipa; dsb ish; tlbi vmalle1is', true],
    [3, 'tlbi vmalls12e1is', 'before its dsb ishst', true],
    [4, 'dsb ish', 'omitted', true],
    [4, 'dsb ish', 'dsb ishst', true],
    [4, 'dsb ish', 'dsb nsh', true],
    [5, 'isb', 'omitted', false],
    [6, 'merge', 'omitted', false],
    [7, 'stlr block', 'omitted', true],
    [7, 'stlr block', 'str', false],
    [8, 'free child', 'omitted', true],
    [9, 'dsb ishst', 'omitted', false],
    [9, 'dsb ishst', 'dsb nshst', false],
  ]);
  for (const row of rows) {
    expect(row.line).toBeGreaterThan(18);
    expect(row.token === null).toBe(!row.needed);
    expect(row.why === null).toBe(row.needed);
    expect(row.cpus).toEqual(row.needed ? ['bbm=1'] : []);
  }
  const [, dsb] = rows;
  expect(dsb?.rules).toContain('stale-translation');
});

test('a step that only moves what is wrong already is not needed', { timeout: 120_000 }, () => {
  const text = 'str 0; dsb ishst; tlbi vmalls12e1is; isb; stlr block; free child; dsb ishst';
  const rows = ablated(sequenceProtocol(parseSequence(text)), ['bbm=2']);
  const isb = rows.find(({ operation }) => operation === 'isb');
  expect(isb).toMatchObject({ needed: false, rules: [], token: null });
});

describe('steps', () => {
  const stepsOf = (protocol: Protocol): string[] => [
    ...new Set(variantsOn(protocol, 2).map(({ step }) => `${step.number} ${step.operation}`)),
  ];

  test('what a loop does again is one step; two calls of one helper are two', () => {
    const protocol = defineProtocol({
      name: 'loops',
      kind: 'coalesce',
      summary: 'two flushes, one of them in a loop',
      origin: 'a test',
      claims: {},
      run(cpu, t) {
        cpu.write(t.entry, EMPTY);
        for (let i = 0; i < 3; i++) cpu.tlbi({ kind: 'ipas2e1is', ipa: t.ipa });
        flushIpa(cpu, t.ipa);
        flushIpa(cpu, t.ipa);
      },
    });
    const flush = [
      'dsb ishst',
      'tlbi ipas2e1is, ipa',
      'dsb ish',
      'tlbi vmalle1is',
      'dsb ish',
      'isb',
    ];
    const all = ['str 0', 'tlbi ipas2e1is, ipa', ...flush, ...flush];
    expect(stepsOf(protocol)).toEqual(all.map((step, i) => `${i + 1} ${step}`));
  });

  test('steps of a sequence that one word stands for are steps of their own', () => {
    const text = 'str 0; kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, addr, level)';
    const variants = variantsOn(sequenceProtocol(parseSequence(text)), 2);
    const ish = variants.filter(
      ({ step, change }) => step.operation === 'dsb ish' && change === 'omitted',
    );
    expect(ish.map(({ step }) => step.number)).toEqual([4, 6]);
    expect(ish[0]?.step.place).toMatchObject({ line: 1, column: 8 });
  });

  test('what runs for one BBM level only is left out where no other was explored', () => {
    const rows = ablated(named('rfc-nt-intended'), ['bbm=1']);
    expect(rows.map(({ operation }) => operation)).not.toContain('str invalid');
    expect(variantsOn(named('rfc-nt-intended'), 2).map(({ step }) => step.operation)).toContain(
      'str invalid',
    );
  });
});

test('a variant does on every other way what its protocol does', () => {
  const locked = named('bbm-early-locked');
  const plain = variantOn(locked, 2, '1w1');
  if (plain === null) throw new Error('the compare-exchange can be a plain store');
  const { violations } = exploreProtocol({ protocol: plain, kinds: ['load'] });
  expect(violations.map(({ rule }) => rule)).toContain('break-before-make');
  expect(variantOn(locked, 2, '99o')).toBeNull();
});

test('in the larger tables of real granules no loop is changed in part, and an address is its own', () => {
  const cleans = defineProtocol({
    ...named('write-protect'),
    kind: 'coalesce',
    form: 'coalesce',
    claims: {},
    run(cpu, t, tables) {
      const bytes = t.size / tables.entries;
      cpu.write(t.entry, EMPTY);
      flushVmid(cpu);
      for (let i = 0; i < tables.entries; i++) tables.cleanDcache(t.pa + i * bytes, bytes);
      tables.tearDown(tables.follow(t.old), 3);
      cpu.writeRelease(t.entry, t.wanted);
    },
  });
  for (const [protocol, operation, to] of [
    [cleans, 'clean', null],
    [named('write-protect'), 'tlbi vmalls12e1is', 'tlbi ipas2e1is, ipa; dsb ish; tlbi vmalle1is'],
  ] as const) {
    const variant = variantsOn(protocol, 2).find(
      (each) => each.step.operation === operation && each.to === to,
    );
    if (variant === undefined) throw new Error(`there is a step ${operation}`);
    const run = exploreProtocol({ protocol: variant.protocol, kinds: ['store'], accesses: 1 });
    expect([run.verdict, run.violations]).toEqual(['safe', []]);
  }
});

describe('two stores', () => {
  const fills = defineProtocol({
    name: 'fills',
    kind: 'split',
    summary: 'fills a table page by page, links it, and flushes',
    origin: 'a test',
    claims: { neverInvalid: true },
    run(cpu, t, tables) {
      const child = tables.allocate(3);
      for (let i = 0; i < tables.entries; i++) {
        const entry = tables.entryOf(child, i);
        cpu.write(entry, tables.childLeaf(t.old, t.level, i));
        // Its own store is there for it, whenever others see it.
        if (isValid(cpu.read(entry))) tables.get(entry);
      }
      cpu.dmb('ishst');
      cpu.writeRelease(t.entry, tables.descriptorFor(child));
      flushVmid(cpu);
    },
  });
  const moved = (protocol: Protocol): readonly Variant[] =>
    variantsOn(protocol, 2).filter(
      ({ step, change }) => step.nextStore !== null && change === 'moved',
    );

  /** The stores that a protocol makes, in its order, where it makes the most of them. */
  function storesOf(protocol: Protocol): readonly string[] {
    const runs: string[][] = [];
    const seen = tapped(protocol, protocol.name, (_cpu, t) => {
      const run: string[] = [];
      runs.push(run);
      return (call, _number, perform) => {
        if (call.op === 'write' || call.op === 'writeRelease')
          run.push(describeCall(call, t, true));
        return perform();
      };
    });
    exploreProtocol({ protocol: seen, kinds: ['load'], accesses: 1 });
    return runs.reduce((most, run) => (run.length > most.length ? run : most), []);
  }

  test('the first comes behind the second, all turns of a loop of it', () => {
    const [variant, ...others] = moved(fills);
    expect(variant?.to).toBe('behind step 6, stlr table');
    expect(others).toEqual([]);
    expect(storesOf(fills)).toEqual(['str a page (child)', 'str a page (child)', 'stlr table']);
    expect(storesOf(variant?.protocol ?? fills)).toEqual(storesOf(fills).toReversed());
  });

  test('a table that is linked before it is filled breaks the promise never to be invalid', () => {
    const rows = ablated(fills, ['bbm=3,multihit=new']);
    const row = rows.find(({ to }) => to?.startsWith('behind'));
    expect([row?.needed, row?.rules]).toEqual([true, ['claim']]);
  });

  test('are not two where both go to one entry, or a TLBI comes between', () => {
    const breaks = (between: (cpu: Cpu) => void): Protocol =>
      defineProtocol({
        ...fills,
        run(cpu, t, tables) {
          const child = tables.entryOf(tables.allocate(3), 0);
          cpu.write(child, EMPTY);
          between(cpu);
          cpu.write(t.entry, EMPTY);
          cpu.write(t.entry, t.wanted);
        },
      });
    expect(moved(breaks((cpu) => cpu.dsb('ish'))).map(({ to }) => to)).toEqual([
      'behind step 4, str 0',
    ]);
    expect(moved(breaks((cpu) => cpu.tlbi({ kind: 'vmalls12e1is' })))).toEqual([]);
  });
});

test('a token names a variant behind whatever its protocol is called', () => {
  expect(splitVariantName(variantName('./a@2.ts', '3w1'))).toEqual(['./a@2.ts', '3w1']);
  expect(splitVariantName(variantName('./a@r.ts', 'i'))).toEqual(['./a@r.ts', 'i']);
  expect(splitVariantName('mine@2.ts')).toEqual(['mine@2.ts', null]);
});

test('of a sequence that is wrong as it is, what nothing was found out about is open', () => {
  const wrong =
    'str 0; tlbi vmalls12e1is; dsb ish; isb; stlr block; free child; put; get; dsb ishst';
  const rows = ablated(sequenceProtocol(parseSequence(wrong)), ['bbm=0', 'bbm=1']);
  const open = rows.filter(({ isOpen }) => isOpen);
  expect(open.map(({ needed, why, rules }) => [needed, why, rules])).toEqual(
    open.map(() => [false, null, []]),
  );
  expect(open.some(({ operation }) => operation === 'dsb ish')).toBe(true);
  expect(rows.every(({ needed, isOpen }) => needed || isOpen)).toBe(true);
  // One that is right has none, and each CPU has its rules.
  const right = ablated(named('rfc-nt-intended'), ['bbm=1', 'bbm=3,multihit=new']);
  expect(right.some(({ isOpen }) => isOpen)).toBe(false);
  const [first] = right;
  expect(first?.cpus).toEqual(['bbm=1', 'bbm=3,multihit=new']);
  expect(first?.rulesOn?.map((rules) => rules.includes('tlb-conflict'))).toEqual([true, false]);
});
