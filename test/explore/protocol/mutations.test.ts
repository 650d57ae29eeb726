/** One step less, or a weaker one, and the explorer has to show the execution that goes wrong. */
import { describe, expect, it } from 'vitest';
import {
  childLevel,
  type Cpu,
  EMPTY,
  flushIpa,
  flushVmid,
  NT,
  type Protocol,
  type Transition,
  VALID,
} from '../../../src/port/index.ts';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import { bbmEarlyWith, builtin, changed, exploreLoads, shownRules } from './fixtures.ts';

/** What a protocol breaks in a schedule; the whole verdict has to agree. */
function rulesShown(protocol: Protocol): string[] {
  const run = exploreLoads(protocol);
  expect(run.verdict).toBe(run.violations.length > 0 ? 'violated' : 'safe');
  return shownRules(run);
}

const STALE = ['freed-table', 'stale-translation', 'tlb-conflict'];

describe('the flush of bbm-early', () => {
  it('is safe as it is', () => {
    expect(rulesShown(bbmEarlyWith(flushVmid))).toEqual([]);
  });

  const flushes: [string, string[], (cpu: Cpu, t: Transition) => void][] = [
    ['is missing', STALE, () => {}],
    [
      'has no DSB before the TLBI',
      STALE,
      (cpu) => {
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        cpu.isb();
      },
    ],
    [
      'has a Non-shareable DSB before the TLBI',
      STALE,
      (cpu) => {
        cpu.dsb('nshst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
      },
    ],
    [
      'has no DSB after the TLBI',
      STALE,
      (cpu) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
      },
    ],
    [
      'has a store-only DSB after the TLBI',
      STALE,
      (cpu) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ishst');
      },
    ],
    [
      'reaches the own PE only',
      STALE,
      (cpu) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1' });
        cpu.dsb('ish');
      },
    ],
    [
      'names another VMID',
      STALE,
      (cpu) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is', vmid: 2 });
        cpu.dsb('ish');
      },
    ],
    [
      'leaves combined entries: IPAS2 without VMALLE1',
      ['stale-translation', 'tlb-conflict'],
      (cpu, t) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
        cpu.dsb('ish');
      },
    ],
    [
      'leaves stage-2-only entries: VMALLE1 alone',
      STALE,
      (cpu) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
      },
    ],
    [
      'has no DSB between IPAS2 and VMALLE1: a combined entry is filled from the stage-2 one',
      ['stale-translation', 'tlb-conflict'],
      (cpu, t) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
      },
    ],
    [
      'covers the first page only (3a0b870e3448)',
      ['stale-translation', 'tlb-conflict'],
      (cpu, t) => flushIpa(cpu, t.ipa),
    ],
    [
      'gives the level of the table as the hint (36e008323926)',
      STALE,
      (cpu, t) => flushIpa(cpu, t.ipa, t.level),
    ],
    [
      'leaves the walk cache: last level only, page by page',
      ['freed-table', 'stale-translation', 'tlb-conflict'],
      (cpu, t) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'ipas2le1is', ipa: t.ipa });
        cpu.tlbi({ kind: 'ipas2le1is', ipa: t.ipa + t.size / 2 });
        cpu.dsb('ish');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
      },
    ],
  ];

  it.each(flushes)('%s', (_, rules, flush) => {
    expect(rulesShown(bbmEarlyWith(flush))).toEqual(rules);
  });

  it.each(flushes)('%s, as stores show it', (_, rules, flush) => {
    const run = exploreProtocol({ protocol: bbmEarlyWith(flush), kinds: ['store'] });
    expect(shownRules(run)).toEqual(rules);
  });

  it('may go page by page over every level', () => {
    const protocol = bbmEarlyWith((cpu, t) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'ipas2e1is', ipa: t.ipa });
      cpu.tlbi({ kind: 'ipas2e1is', ipa: t.ipa + t.size / 2 });
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    });
    expect(rulesShown(protocol)).toEqual([]);
  });
});

describe('rfc-nt-intended', () => {
  const nt = (flush: (cpu: Cpu) => void): Protocol =>
    changed('rfc-nt-intended', (cpu, t, tables) => {
      cpu.write(t.entry, t.wanted | NT);
      flush(cpu);
      cpu.write(t.entry, t.wanted);
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
      cpu.dsb('ishst');
    });

  it('needs its first DSB', () => {
    const protocol = nt((cpu) => {
      cpu.tlbi({ kind: 'vmalls12e1is' });
      cpu.dsb('ish');
    });
    expect(rulesShown(protocol)).toEqual(STALE);
  });

  it('needs the DSB after its TLBI', () => {
    const protocol = nt((cpu) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalls12e1is' });
    });
    expect(rulesShown(protocol)).toEqual(STALE);
  });
});

describe('other seeded bugs', () => {
  it('tearing down before the flush lets walks read the page', () => {
    const protocol = changed('bbm-early', (cpu, t, tables) => {
      cpu.write(t.entry, t.old & ~VALID);
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted);
      cpu.dsb('ishst');
    });
    expect(rulesShown(protocol)).toEqual(['freed-table']);
  });

  it('linking a table by a plain store shows what the page held before', () => {
    const protocol = changed('split-eager', (cpu, t, tables) => {
      cpu.write(t.entry, EMPTY);
      flushIpa(cpu, t.ipa, t.level);
      const table = tables.buildSubtree(t.level, t.wanted);
      cpu.write(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    });
    expect(rulesShown(protocol)).toEqual(['freed-table']);
  });

  it('a block at another address sends accesses there', () => {
    const protocol = changed('bbm-early', (cpu, t, tables) => {
      cpu.write(t.entry, t.old & ~VALID);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted + BigInt(0x4_0000));
      tables.tearDown(tables.follow(t.old), childLevel(t.level));
    });
    expect(rulesShown(protocol)).toEqual(['wrong-output-address']);
  });

  it('an unhandled conflict of a direct change is one', () => {
    const protocol = { ...builtin('bbml2-direct'), claims: { neverInvalid: true } };
    expect(rulesShown(protocol)).toEqual(['tlb-conflict']);
  });
});
