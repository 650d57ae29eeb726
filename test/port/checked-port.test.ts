/** What a protocol may pass to the port, and what it hears otherwise. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Descriptor, EMPTY } from '../../src/arch/descriptor.ts';
import { TLBI_KINDS, type TlbiOp } from '../../src/arch/tlbi.ts';
import { BadArgument, checkedPort, checkReturned } from '../../src/port/checked-port.ts';
import { type Cpu, DSB_KINDS, type Entry } from '../../src/port/cpu.ts';
import type { Table, Tables } from '../../src/port/tables.ts';

let isOpen = true;
const LIMITS = { entries: 100, tables: 10, granule: 4096, isOpen: () => isOpen };
afterEach(() => {
  isOpen = true;
});

/** A port that writes down what reaches it. */
function recording() {
  const calls: string[] = [];
  const take =
    (name: string, answer: unknown) =>
    (...args: readonly unknown[]): unknown => {
      const text = (a: unknown): string =>
        typeof a === 'bigint' || typeof a === 'number' || typeof a === 'string'
          ? `${a}`
          : JSON.stringify(a);
      calls.push([name, ...args.map(text)].join(' '));
      return answer;
    };
  const names = ['read', 'write', 'writeRelease', 'compareExchange', 'dsb', 'dmb', 'isb', 'tlbi'];
  const cpu = Object.fromEntries(names.map((name) => [name, take(name, 5n)])) as unknown as Cpu;
  const operations = [
    ...[
      'allocate',
      'buildSubtree',
      'entryOf',
      'follow',
      'descriptorFor',
      'childLeaf',
      'mergeState',
      'get',
      'put',
    ],
    ...['tearDown', 'tearDownBelow', 'freeNow', 'tearDownAfterGrace', 'cleanDcache'],
  ];
  const tables = {
    entries: 4,
    ...Object.fromEntries(operations.map((name) => [name, take(name, 3)])),
  } as unknown as Tables;
  return { calls, ...checkedPort(cpu, tables, LIMITS) };
}

type Port = ReturnType<typeof recording>;
const E = 7 as Entry;
const T = 2 as Table;

describe('what is right', () => {
  it('goes through as it is, and its answer comes back', () => {
    const p = recording();
    expect([p.cpu.read(E), p.cpu.compareExchange(E, 1n, 2n), p.tables.entryOf(T, 3)]).toEqual([
      5n,
      5n,
      3,
    ]);
    p.cpu.write(E, 2n ** 64n - 1n);
    p.cpu.writeRelease(E, EMPTY);
    p.cpu.isb();
    p.cpu.dmb('ishld');
    for (const kind of DSB_KINDS) p.cpu.dsb(kind);
    p.tables.mergeState(9n, T, 3);
    p.tables.tearDown(T, 3);
    p.tables.buildSubtree(2, 8n);
    p.tables.cleanDcache(4096, 64);
    expect(p.calls).toEqual([
      ...['read 7', 'compareExchange 7 1 2', 'entryOf 2 3', 'write 7 18446744073709551615'],
      ...[
        'writeRelease 7 0',
        'isb',
        'dmb ishld',
        'dsb ish',
        'dsb ishst',
        'dsb nsh',
        'dsb nshst',
        'mergeState 9 2 3',
        'tearDown 2 3',
      ],
      ...['buildSubtree 2 8', 'cleanDcache 4096 64'],
    ]);
  });

  it.each<TlbiOp>([
    ...TLBI_KINDS.map((kind) => ({ kind, ipa: 8192, size: 4096 })),
    { kind: 'vmalls12e1is' },
    { kind: 'alle1is', vmid: 65_535 },
    { kind: 'ipas2e1is', ipa: 8195, ttl: 0 },
    { kind: 'ipas2le1', ipa: 0, ttl: 3 },
  ])('a TLBI %j', (op) => {
    const p = recording();
    p.cpu.tlbi(op);
    expect(p.calls).toEqual([`tlbi ${JSON.stringify(op)}`]);
  });
});

describe('what is not', () => {
  const d = (value: unknown): Descriptor => value as Descriptor;
  const op = (value: unknown): TlbiOp => value as TlbiOp;
  it.each<[string, (p: Port) => unknown, RegExp]>([
    [
      'an entry that is none',
      (p) => p.cpu.write(undefined as never, EMPTY),
      /^write: undefined is no entry; take t\.entry/,
    ],
    [
      'a DMB that is none',
      (p) => p.cpu.dmb('nsh' as never),
      /^no DMB is called "nsh"; there are ish/,
    ],
    ['an entry past the end', (p) => p.cpu.read(100 as Entry), /^read: 100 is no entry/],
    ['half an entry', (p) => p.cpu.read(1.5 as Entry), /^read: 1\.5 is no entry/],
    [
      'a number for a descriptor',
      (p) => p.cpu.write(E, d(0)),
      /^write: 0 is no descriptor: an unsigned 64-bit/,
    ],
    [
      'no block',
      (p) => p.tables.mergeState(d(undefined), T, 3),
      /^mergeState: undefined is no desc/,
    ],
    ['a level without tables', (p) => p.tables.mergeState(9n, T, 0), /^mergeState: 0 is no level/],
    ['65 bits', (p) => p.cpu.writeRelease(E, 2n ** 64n), /is no descriptor/],
    ['a negative one', (p) => p.cpu.compareExchange(E, -1n, 0n), /^compareExchange: -1n is no/],
    [
      'an unknown DSB',
      (p) => p.cpu.dsb('sy' as never),
      /^no DSB is called "sy"; there are ish, ishst, nsh, nshst$/,
    ],
    ['no TLBI at all', (p) => p.cpu.tlbi(op('vmalle1is')), /^tlbi takes an operation such as/],
    [
      'an unknown TLBI',
      (p) => p.cpu.tlbi(op({ kind: 'vae1is' })),
      /^no TLBI is called "vae1is"; there/,
    ],
    [
      'a TTL of 4',
      (p) => p.cpu.tlbi(op({ kind: 'ipas2e1is', ipa: 0, ttl: 4 })),
      /ttl 4 is no level hint/,
    ],
    [
      'a VMID of 17 bits',
      (p) => p.cpu.tlbi({ kind: 'vmalle1is', vmid: 65_536 }),
      /vmid 65536 is not/,
    ],
    [
      'a VMID to load that is none',
      (p) => p.cpu.writeVttbr(-1, 'guest'),
      /^writeVttbr: vmid -1 is not within 0 to 65535; take t\.vmid$/,
    ],
    [
      'a table of nobody',
      (p) => p.cpu.writeVttbr(1, 'mine' as never),
      /^writeVttbr: no table is "mine"; there are guest, host, other$/,
    ],
    ['TGE as a number', (p) => p.cpu.writeTge(1 as never), /^writeTge takes true or false, not 1$/],
    [
      'no address',
      (p) => p.cpu.tlbi({ kind: 'ipas2e1is' }),
      /^tlbi ipas2e1is needs an ipa in bytes, not u/,
    ],
    ['NaN', (p) => p.cpu.tlbi({ kind: 'ipas2e1is', ipa: NaN }), /needs an ipa in bytes, not NaN$/],
    ['a bigint address', (p) => p.cpu.tlbi(op({ kind: 'ipas2e1is', ipa: 4096n })), /not 4096n$/],
    [
      'a range of no size',
      (p) => p.cpu.tlbi({ kind: 'ripas2e1is', ipa: 0 }),
      /needs a size in bytes, not un/,
    ],
    [
      'an empty range',
      (p) => p.cpu.tlbi({ kind: 'ripas2e1is', ipa: 0, size: 0 }),
      /needs a size in bytes, not 0$/,
    ],
    [
      'a range off its granule',
      (p) => p.cpu.tlbi({ kind: 'ripas2e1is', ipa: 7, size: 4096 }),
      /ipa 0x7 and size 0x1000 must be multiples of the granule, 0x1000/,
    ],
    [
      'an index past the table',
      (p) => p.tables.entryOf(T, 4),
      /^entryOf: index 4 is not within 0 to 3$/,
    ],
    [
      'a table that is none',
      (p) => p.tables.freeNow(10 as Table),
      /^freeNow: 10 is no table page$/,
    ],
    [
      'a level that has no tables',
      (p) => p.tables.tearDown(T, 4 as never),
      /^tearDown: 4 is no level here: 1 to 3$/,
    ],
    [
      'a subtree of a page',
      (p) => p.tables.buildSubtree(3, 1n),
      /^buildSubtree: 3 is no level here: 1 to 2$/,
    ],
    [
      'a cache clean of nothing',
      (p) => p.tables.cleanDcache(undefined as never, 1),
      /^cleanDcache takes an address and a size in bytes, not undefined, 1$/,
    ],
  ])('%s', (_, act, says) => {
    const p = recording();
    expect(() => act(p)).toThrow(BadArgument);
    expect(() => act(p)).toThrow(says);
    expect(p.calls).toEqual([]);
  });
});

describe('when run() has returned', () => {
  it.each<[string, (p: Port) => unknown]>([
    ['read', (p) => p.cpu.read(E)],
    ['dsb', (p) => p.cpu.dsb('ish')],
    ['dmb', (p) => p.cpu.dmb('ish')],
    ['isb', (p) => p.cpu.isb()],
    ['writeVttbr', (p) => p.cpu.writeVttbr(1, 'guest')],
    ['writeTge', (p) => p.cpu.writeTge(true)],
    ['tlbi', (p) => p.cpu.tlbi({ kind: 'alle1is' })],
    ['allocate', (p) => p.tables.allocate(3)],
    ['tearDown', (p) => p.tables.tearDown(T, 3)],
    ['cleanDcache', (p) => p.tables.cleanDcache(0, 1)],
  ])('%s is too late', (name, act) => {
    const p = recording();
    isOpen = false;
    expect(() => act(p)).toThrow(`${name} after run() had returned`);
    expect(p.calls).toEqual([]);
  });

  it('a promise is not what it returns', () => {
    expect(() => checkReturned(Promise.resolve())).toThrow(/^run\(\) returned a promise/);
    for (const harmless of [undefined, null, 0, {}, true]) {
      expect(() => checkReturned(harmless)).not.toThrow();
    }
  });
});
