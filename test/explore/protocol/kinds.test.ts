/** Kinds of protocols that were judged wrongly once: each with its bug, and beside it what is right. */
import { describe, expect, it } from 'vitest';
import { exploreProtocol, installChanceGuards } from '../../../src/explore/protocol/index.ts';
import {
  AF,
  childLevel,
  defineProtocol,
  EMPTY,
  flushIpa,
  flushRange,
  flushVmid,
  LOCKED,
  NT,
  type Protocol,
  VALID,
} from '../../../src/port/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { bbmEarlyWith, changed, exploreLoads, type Run } from './fixtures.ts';

const CONTIGUOUS = 1n << 52n;
const MEMORY_TYPE = 0xfn << 2n;
const XN = 1n << 54n;

const rulesOf = ({ violations }: ExploreRun): string[] => violations.map(({ rule }) => rule);
const firstWhy = ({ violations }: ExploreRun): string => violations[0]?.why ?? '';
const split = (run: Run, over: Partial<Protocol> = {}): Protocol =>
  defineProtocol({
    name: 'changed',
    kind: 'split',
    summary: 'a split',
    origin: 'a test',
    claims: {},
    run,
    ...over,
  });

describe('a change of size that changes more', () => {
  const transient = (bits: bigint, value: (block: bigint) => bigint = (b) => b): Protocol =>
    changed(
      'bbml2-direct',
      (cpu, t, tables) => {
        cpu.writeRelease(t.entry, value(t.wanted ^ bits));
        cpu.write(t.entry, EMPTY);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(tables.follow(t.old), childLevel(t.level));
        cpu.dsb('ishst');
      },
      { claims: { handlesConflict: true } },
    );

  it.each([
    ['memory type', MEMORY_TYPE],
    ['shareability', 1n << 8n],
    ['Contiguous bit', CONTIGUOUS],
    ['execute-never', XN],
    ['write permission', 1n << 7n],
  ])('is none that may be made directly: %s', (name, bits) => {
    const run = exploreLoads(transient(bits), { bbm: [2] });
    expect(rulesOf(run)).toContain('break-before-make');
    expect(run.violations.map(({ why }) => why).join('\n')).toMatch(
      new RegExp(`table to block, and .*${name}.*\\(R_PVTFW`),
    );
  });

  it('nor with nT at level 1', () => {
    const nt = transient(MEMORY_TYPE, (block) => block | NT);
    expect(firstWhy(exploreLoads(nt, { bbm: [1] }))).toMatch(/and memory type .* BBM level 1/);
  });

  it('nor from a block to a table whose pages differ from it', () => {
    const device = split(
      (cpu, t, tables) => {
        const table = tables.buildSubtree(t.level, t.wanted ^ MEMORY_TYPE);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        flushVmid(cpu);
      },
      { claims: { handlesConflict: true } },
    );
    expect(firstWhy(exploreLoads(device, { bbm: [2] }))).toMatch(/block to table, and memory type/);
  });

  it('and may be put right by a break', () => {
    expect(exploreLoads(transient(0n), { bbm: [2] }).verdict).toBe('safe');
  });
});

describe('a break by the access flag', () => {
  const byFlag = (flushed: boolean): Protocol =>
    split((cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
      cpu.write(t.entry, t.old & ~AF);
      if (flushed) flushIpa(cpu, t.ipa, t.level);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    });

  it('is a break where hardware does not set the flag, and needs its flush', () => {
    expect(exploreLoads(byFlag(true)).verdict).toBe('safe');
    expect(rulesOf(exploreLoads(byFlag(false)))).toContain('stale-translation');
  });

  it('is none where it does', () => {
    expect(exploreLoads(byFlag(true), { hafdbs: true }).verdict).toBe('violated');
  });
});

describe('entries of a table that is on its way out', () => {
  const clearing = (value: (page: bigint) => bigint): Protocol =>
    changed('bbm-early', (cpu, t, tables) => {
      const child = tables.follow(t.old);
      cpu.write(t.entry, t.old & ~VALID);
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalls12e1is' });
      for (let i = 0; i < tables.entries; i++) {
        const entry = tables.entryOf(child, i);
        const was = cpu.read(entry);
        if ((was & VALID) === 0n) continue;
        cpu.write(entry, value(was));
        if (value(was) === EMPTY) tables.put(entry);
      }
      cpu.dsb('ish');
      cpu.writeRelease(t.entry, t.wanted);
      tables.tearDown(child, childLevel(t.level));
      cpu.dsb('ishst');
    });

  it('may be cleared while the flush is under way, and not be pointed elsewhere', () => {
    expect(exploreLoads(clearing(() => EMPTY)).verdict).toBe('safe');
    const run = exploreLoads(clearing((page) => page + 0x10000n));
    expect(rulesOf(run)).toContain('break-before-make');
  });
});

it('a link that is stored again plainly comes after the store-release before it', () => {
  const again = (first: 'release' | 'plain'): Protocol =>
    split((cpu, t, tables) => {
      cpu.write(t.entry, LOCKED);
      flushIpa(cpu, t.ipa, t.level);
      const table = tables.buildSubtree(t.level, t.wanted);
      const link = tables.descriptorFor(table);
      if (first === 'release') cpu.writeRelease(t.entry, link);
      else {
        cpu.dsb('nshst');
        cpu.write(t.entry, link);
      }
      cpu.write(t.entry, link);
      cpu.dsb('ishst');
    });
  expect(exploreLoads(again('release')).verdict).toBe('safe');
  const plain = exploreLoads(again('plain'));
  expect(firstWhy(plain)).toMatch(
    /the DSB NSHST in between \(event 9\) acts for the issuing PE only/,
  );
});

describe('leaves that are flushed before the walk-cache entry above them', () => {
  const pages = (dsb: boolean, first: 0 | 1): Protocol =>
    bbmEarlyWith((cpu, t) => {
      const page = t.size / 2;
      const walk = { kind: 'ipas2e1is', ipa: t.ipa } as const;
      const leaf = { kind: 'ipas2le1is', ipa: t.ipa + page } as const;
      cpu.dsb('ishst');
      cpu.tlbi(first === 0 ? walk : leaf);
      if (dsb) cpu.dsb('ish');
      cpu.tlbi(first === 0 ? leaf : walk);
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
      cpu.isb();
    });

  it('are filled again, and the cause is told', () => {
    for (const protocol of [pages(false, 0), pages(true, 1)]) {
      const run = exploreLoads(protocol);
      expect(rulesOf(run)).toContain('stale-translation');
      expect(run.violations.find(({ by }) => by === 'schedule')?.why).toMatch(
        /cause: .*reaches leaves only and leaves the old table in walk caches/,
      );
    }
  });

  it('stay away after a TLBI that is complete', () => {
    const run = exploreProtocol({ protocol: pages(true, 0), kinds: ['load'] });
    expect(run.violations.filter(({ by }) => by === 'schedule')).toEqual([]);
  });
});

describe('whoever loses the race for the entry', () => {
  const taking = (until: (found: bigint, old: bigint) => boolean): Protocol =>
    changed(
      'bbm-early-locked',
      (cpu, t, tables) => {
        let found = cpu.compareExchange(t.entry, t.old, LOCKED);
        while (found !== t.old && !until(found, t.old)) {
          found = cpu.compareExchange(t.entry, t.old, LOCKED);
        }
        if (found !== t.old) return;
        flushRange(cpu, t.ipa, t.size);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDownAfterGrace(tables.follow(t.old), childLevel(t.level));
        cpu.dsb('ishst');
      },
      { lock: 'shared' },
    );

  it('must end some time', () => {
    const spins = exploreLoads(taking(() => false));
    expect(rulesOf(spins)).toEqual(['progress']);
    expect(firstWhy(spins)).toMatch(/never ends/);
  });

  it('may wait for the winner', () => {
    expect(exploreLoads(taking((found) => found !== LOCKED)).verdict).toBe('safe');
    expect(exploreLoads(taking(() => true)).verdict).toBe('safe');
  });
});

describe('what is not the same the next time', () => {
  // As the command does before it loads files.
  installChanceGuards();
  const { random } = Math;
  const { now } = Date;
  const timer = setTimeout;
  it.each<[string, () => unknown]>([
    ['Math.random', () => Math.random()],
    ['Math.random, taken before', () => random()],
    ['Date.now', () => Date.now()],
    ['Date.now, taken before', () => now()],
    ['new Date', () => new Date().getTime()],
    ['performance.now', () => performance.now()],
    ['process', () => process.pid],
    ['process.hrtime', () => process.hrtime()],
    ['setTimeout', () => setTimeout(() => undefined, 0)],
    ['setTimeout, taken before', () => timer(() => undefined, 0)],
    ['crypto', () => crypto.randomUUID()],
  ])('is refused where it is asked for: %s', (_, ask) => {
    const asking = (caught: boolean): Protocol =>
      bbmEarlyWith((cpu) => {
        try {
          ask();
        } catch (error) {
          if (!caught) throw error;
        }
        flushVmid(cpu);
      });
    for (const caught of [false, true]) {
      expect(() => exploreLoads(asking(caught))).toThrow(/is not there under explore/);
    }
    // Outside of a protocol everything is as it was.
    expect(Math.random()).toBeLessThan(1);
    expect(new Date()).toBeInstanceOf(Date);
    expect(process.pid).toBeGreaterThan(0);
  });
});

describe('what two entries at one address do not show', () => {
  const pagewise = (
    operand: (at: number, page: number, index: number) => { ipa: number; ttl?: 0 | 1 | 2 | 3 },
  ): Protocol =>
    bbmEarlyWith((cpu, t) => {
      const page = t.size >= 2 ** 20 ? (t.size >= 2 ** 25 ? 16384 : 4096) : t.size / 2;
      cpu.dsb('ishst');
      for (let at = 0; at < t.size; at += page) {
        const index = Math.floor(t.ipa / t.size);
        cpu.tlbi({ kind: 'ipas2e1is', ...operand(t.ipa + at, page, index) });
      }
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
      cpu.isb();
    });

  it.each<[string, Protocol, RegExp]>([
    [
      'an operand in pages of the granule',
      pagewise((at, page) => ({ ipa: Math.floor(at / page) * 4096 })),
      /^in the 16K granule, at IPA 0x42000000: .* outside the entry's range/,
    ],
    [
      'a hint made of the address',
      pagewise((at, _, index) => ({ ipa: at, ttl: (index % 4) as 0 | 1 | 2 | 3 })),
      /^in the 4K granule, at IPA 0x40200000: .* TTL hint/,
    ],
    [
      'a range that is cut',
      bbmEarlyWith((cpu, t) => flushRange(cpu, t.ipa, Math.min(t.size, 64 * 4096))),
      /^in the 4K granule, .* does not cover the range: of 0x200000 bytes/,
    ],
    [
      'a range that is enough for 2048 pages, and the table freed at once',
      bbmEarlyWith((cpu, t) => {
        const page = t.size >= 2 ** 29 ? 65536 : t.size >= 2 ** 25 ? 16384 : 4096;
        flushRange(cpu, t.ipa, Math.min(t.size, 2048 * page));
      }),
      /^in the 64K granule, .* does not cover the range: of 0x20000000 bytes/,
    ],
    [
      'a block made like its first page',
      changed('bbm-early', (cpu, t, tables) => {
        const child = tables.follow(t.old);
        const first = cpu.read(tables.entryOf(child, 0));
        cpu.write(t.entry, EMPTY);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, (t.wanted & ~(1n << 7n)) | (first & (1n << 7n)));
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      }),
      /^in the 4K granule, .* differs from the wanted block in write permission$/,
    ],
    [
      'a page behind the second',
      split((cpu, t, tables) => {
        cpu.write(t.entry, LOCKED);
        flushIpa(cpu, t.ipa, t.level);
        const table = tables.allocate(childLevel(t.level));
        for (let i = 0; i < tables.entries; i++) {
          const entry = tables.entryOf(table, i);
          cpu.write(entry, tables.childLeaf(t.wanted, t.level, i === 7 ? 6 : i));
          tables.get(entry);
        }
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        cpu.dsb('ishst');
      }),
      /^in the 4K granule, .* entry 7 of the new table 0 maps 0x80006000 instead of 0x80007000$/,
    ],
  ])('is tried in real granules: %s', (_, protocol, why) => {
    const run = exploreLoads(protocol);
    expect(rulesOf(run)).toEqual(['break-before-make']);
    expect(firstWhy(run)).toMatch(why);
    expect(run.violations[0]?.token).not.toBeNull();
  });

  it('and a loop that is right is right there', () => {
    expect(exploreLoads(pagewise((at) => ({ ipa: at }))).violations).toEqual([]);
  });
});

it('a loop that waits for what nobody does says so', () => {
  const run = exploreLoads(
    changed('bbm-early', (cpu, t) => {
      while (cpu.read(t.entry) === t.old);
    }),
  );
  expect(run.verdict).toBe('bounded');
  expect(run.stoppedWhy).toMatch(/reads the entry again and again and waits for a change/);
});

it('nothing after the store that makes the entry valid is a note', () => {
  const run = exploreLoads(
    changed('bbm-early', (cpu, t, tables) => {
      cpu.write(t.entry, EMPTY);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted);
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
    }),
  );
  expect(run.verdict).toBe('safe');
  expect(run.protocolNotes?.join('\n')).toMatch(/^no DSB after the last store .*DSB ISHST\)$/);
});

describe('a TLBI of another VMID', () => {
  const flushed = (more: { vmid?: number; kind: 'alle1is' | 'vmalls12e1is' }): Protocol =>
    bbmEarlyWith((cpu) => {
      flushVmid(cpu);
      cpu.tlbi(more);
      cpu.dsb('ish');
    });
  const two = (protocol: Protocol): ExploreRun =>
    exploreProtocol({ protocol, kinds: ['load'], scenario: 'two-vms' });

  it('that nobody has costs no states', () => {
    const alone = exploreLoads(bbmEarlyWith((cpu) => flushVmid(cpu)));
    const beside = exploreLoads(flushed({ kind: 'vmalls12e1is', vmid: 3 }));
    expect([beside.verdict, beside.states]).toEqual(['safe', alone.states]);
  });

  it('of everybody is allowed and slow, of a neighbour by name is not', () => {
    const all = two(flushed({ kind: 'alle1is' }));
    expect(all.violations).toEqual([]);
    expect(all.protocolNotes?.join('\n')).toMatch(
      /ALLE1IS removes .* as well: allowed, and slower/,
    );
    expect(rulesOf(two(flushed({ kind: 'vmalls12e1is', vmid: 2 })))).toEqual(['vmid-isolation']);
  });
});

it('a schedule keeps barriers before what they come before, and tells which one is missing', () => {
  const run = exploreLoads(
    split((cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
      cpu.write(t.entry, LOCKED);
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'ipas2e1is', ipa: t.ipa, ttl: t.level });
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    }),
  );
  const shown = run.violations.find(({ rule }) => rule === 'stale-translation');
  const own = shown?.steps.filter(({ thread }) => thread === 'hypervisor') ?? [];
  expect(own.map(({ op, detail }) => (op === 'tlbi' ? detail.split(' ')[1] : detail))).toEqual([
    'table 0[0] = page 0x80000000 rw v2',
    'entry = invalid (locked)',
    'DSB ISHST',
    'VMALLE1IS',
    'IPAS2E1IS',
    'DSB ISH',
    'entry = table 0',
    'DSB ISHST',
    'lock = free',
  ]);
  expect(own[3]?.why).toMatch(/^no DSB stands between them, so it and the TLBI before it/);
  expect(own[4]?.why).toMatch(/^no DSB stands between them, so it and the TLBI after it/);
});

it('a block below the entry is called one', () => {
  const run = exploreProtocol({
    protocol: changed('bbm-early', (cpu, t, tables) => {
      const child = tables.follow(t.old);
      const entry = tables.entryOf(child, 0);
      const was = cpu.read(entry);
      cpu.writeRelease(entry, tables.childLeaf(t.wanted, t.level, 0));
      tables.tearDown(tables.follow(was), 3);
    }),
    level: 1,
    kinds: ['load'],
  });
  const steps = run.violations.flatMap((violation) => violation.steps);
  expect(steps.some(({ detail }) => detail.startsWith('table 0[0] = block 0x80000000'))).toBe(true);
  expect(steps.some(({ detail }) => /reserved|child/.test(detail))).toBe(false);
});
