import { describe, expect, it } from 'vitest';
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, page, PAGES, planted, table } from './logs.ts';

const { mid, low, leaf, other } = PAGES;
const judge = (log: Log, bbm: BbmLevel = 0) => judgeLog(log.text, bbm);
const found = (log: Log, bbm: BbmLevel = 0) =>
  judge(log, bbm).violations.map(({ line, rule, why }) => ({ line, rule, why }));
const bbmAt = (line: number, why: string) => ({
  line,
  rule: 'break-before-make',
  why: expect.stringContaining(why) as string,
});

describe('a correct change', () => {
  it('of a table into a block, by VMID', () => {
    const log = planted().write(low, 0n).flush().write(low, block(0x8000_0000));
    expect(judge(log)).toMatchObject({ violations: [], entries: 1, verdict: 'clean' });
  });

  it('of a page, by address and then stage 1', () => {
    const log = planted().write(leaf, 0n).dsb('ishst').tlbi('ipas2e1is (value 0x0)');
    log.dsb().tlbi('vmalle1is').dsb().write(leaf, page(0x9000_0000));
    expect(found(log)).toEqual([]);
  });

  it('of permissions, in place', () => {
    expect(found(planted().write(leaf, page(0x8000_0000) & ~(1n << 7n)))).toEqual([]);
  });

  it('of what no walker reaches', () => {
    const log = planted().write(other, page(0x1000)).write(other, page(0x2000));
    expect(judge(log)).toMatchObject({ violations: [], entries: 0 });
  });

  it('of memory before its tree was registered', () => {
    const [head = ''] = planted().text.split('(sysreg-write');
    expect(judgeLog(head, 0).entries).toBe(0);
  });

  it('of a table into a block, without a break, where FEAT_BBM has level 2', () => {
    const log = planted().write(low, block(0x8000_0000));
    expect(found(log, 2)).toEqual([]);
    expect(found(log, 1)).toHaveLength(1);
    expect(found(log, 0)).toHaveLength(1);
  });
});

describe('a page replaced by another page without a break', () => {
  const hardwareAf = () => {
    const log = planted();
    const vtcr = ((1n << 21n) | 16n).toString(16);
    log.lines.splice(5, 0, `(sysreg-write (id 5) (tid 0) (sysreg vtcr_el2) (value ${vtcr}))`);
    return log;
  };

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('is flagged with AF=%s before and AF=%s after, if hardware sets it', (before, after) => {
    const log = hardwareAf().write(leaf + 8, page(0x8000_1000, before));
    const line = log.next;
    log.write(leaf + 8, page(0x9000_1000, after));
    expect(found(log)).toEqual([
      bbmAt(line, 'valid to valid without break (output address, BBM level 0)'),
    ]);
    // No level of FEAT_BBM allows another output address (R_WHZWS).
    expect(found(log, 3)).toHaveLength(1);
  });

  it('is no change of what TLBs hold if AF was clear and hardware does not set it', () => {
    const log = planted().write(leaf + 8, page(0x8000_1000, false));
    expect(found(log.write(leaf + 8, page(0x9000_1000)))).toEqual([]);
    // Clearing AF is a break like any other: without the flush the next page is an error.
    const broken = planted().write(leaf, page(0x8000_0000, false));
    const line = broken.next;
    broken.write(leaf, page(0x9000_0000));
    expect(found(broken)).toEqual([bbmAt(line, 'no TLBI came between')]);
    const flushed = planted().write(leaf, page(0x8000_0000, false)).flush();
    expect(found(flushed.write(leaf, page(0x9000_0000)))).toEqual([]);
  });
});

describe('one step missing', () => {
  const steps = ['dsb', 'tlbi', 'dsb2'] as const;
  const log = (change: (step: (typeof steps)[number], log: Log) => boolean): [Log, number] => {
    const made = planted().write(low, 0n);
    for (const step of steps) {
      if (change(step, made)) continue;
      if (step === 'tlbi') made.tlbi('vmalls12e1is');
      else made.dsb();
    }
    const line = made.next;
    return [made.write(low, block(0x8000_0000)), line];
  };

  it.each([
    ['dsb', 'was issued before a DSB ordered the store'],
    ['tlbi', 'no TLBI came between the store of event 11 and this'],
    ['dsb2', 'was not followed by a DSB ISH'],
  ] as const)('%s', (missing, why) => {
    const [made, line] = log((step) => step === missing);
    expect(found(made)).toEqual([bbmAt(line, why)]);
  });

  it.each([
    ['dsb2', (l: Log) => l.dsb('ishst'), 'does not complete a TLBI'],
    ['dsb', (l: Log) => l.dsb('nsh'), 'acts for the issuing PE only'],
    ['tlbi', (l: Log) => l.tlbi('vmalls12e1'), 'is local to the issuing PE'],
    ['tlbi', (l: Log) => l.tlbi('vmalle1is'), 'no stage-2 TLBI was complete before it'],
    ['tlbi', (l: Log) => l.tlbi('ipas2e1is (value 0x0)'), 'does not cover the range'],
    ['tlbi', (l: Log) => l.tlbi('ipas2e1is (value 0x999999)'), "outside the entry's range"],
    ['tlbi', (l: Log) => l.vttbr(other, 9).tlbi('vmalls12e1is'), 'acts on the wrong VMID'],
  ] as const)('%s done otherwise (%#)', (which, instead, why) => {
    const [made, line] = log((step, l) => step === which && instead(l) === l);
    expect(found(made)).toEqual([bbmAt(line, why)]);
  });

  it('is blamed on the right entry of the right tree, with its source', () => {
    const made = planted().write(mid, 0n).write(mid, table(other));
    expect(judge(made).violations[0]).toMatchObject({
      line: 12,
      source: 'mem.c:111',
      entry: 'entry at 0x11000, level 1, IPA 0x0 to 0x3fffffff, VMID 3',
    });
  });
});

describe('tables', () => {
  it('that were unlinked must not be written while walkers may be in them', () => {
    const log = planted().write(low, 0n);
    const line = log.next;
    log.write(leaf, page(0x7000_0000));
    expect(found(log)).toEqual([
      bbmAt(line, 'while walkers may still use it: no TLBI came between'),
    ]);
    // Deeper ones neither, and invalid over invalid says nothing to a walker.
    expect(found(planted().write(mid, 0n).write(leaf, 0n))).toHaveLength(1);
    expect(
      found(
        planted()
          .write(mid, 0n)
          .write(leaf + 8, 0n),
      ),
    ).toEqual([]);
  });

  it('may be written again once the flush is complete', () => {
    expect(found(planted().write(low, 0n).flush().write(leaf, page(0x7000_0000)))).toEqual([]);
  });

  it('are part of the tree from the store that links them', () => {
    const log = planted()
      .write(other, page(0x5000))
      .write(low + 8, table(other));
    expect(judge(log).entries).toBe(1);
    const line = log.next;
    expect(found(log.write(other, page(0x6000)))).toEqual([bbmAt(line, 'output address')]);
  });

  it.each([
    ['linked', (log: Log) => log, 'part of a tree'],
    ['unflushed', (log: Log) => log.write(low, 0n), 'while walkers may still use it'],
  ])('that are %s must not be freed', (_, before, why) => {
    const log = before(planted());
    const line = log.next;
    log.add('mem-free', `(address 0x${leaf.toString(16)}) (size 0x1000)`);
    expect(found(log)).toEqual([
      { line, rule: 'freed-table', why: expect.stringContaining(why) as string },
    ]);
  });

  it('that are clean may be freed and used anew', () => {
    const log = planted().write(low, 0n).flush();
    log.add('mem-free', `(address 0x${leaf.toString(16)}) (size 0x1000)`);
    log.add('mem-set', `(address 0x${leaf.toString(16)}) (size 0x1000) (value 0xff)`);
    expect(found(log)).toEqual([]);
  });

  it('of a tree that was given up are memory, unless one was not flushed', () => {
    const release = `(kind release_table) (location 0x${PAGES.root.toString(16)}) (value 0)`;
    const log = planted().add('hint', release).write(leaf, page(0x7000_0000));
    expect(judge(log)).toMatchObject({ violations: [], entries: 0 });
    const early = planted().write(leaf, 0n).add('hint', release);
    expect(found(early)).toMatchObject([{ line: 12, rule: 'freed-table' }]);
  });

  it('that are filled at once are judged entry by entry', () => {
    const log = planted().add('mem-init', `(address 0x${leaf.toString(16)}) (size 0x1000)`);
    const line = log.next;
    expect(found(log.write(leaf, page(0x7000_0000)))).toEqual([
      bbmAt(line, 'no TLBI came between'),
    ]);
  });
});

describe('what is not judged', () => {
  it('is said: EL2 tables nobody named, trees of 52 bits, unknown VMIDs, work in progress', () => {
    const log = planted()
      .tlbi('vae2is (value 0x0)')
      .add('sysreg-write', '(sysreg vtcr_el2) (value 0xc)')
      .vttbr(other)
      .write(leaf, 0n)
      .tlbi('vmalls12e1is', 7);
    expect(judge(log)).toMatchObject({
      verdict: 'not-judged',
      notJudged: [
        'the tree at 0x14000 is not judged: its 52 address bits need LPA2 or LVA (VTCR_EL2 0xc)',
        expect.stringContaining('VTCR_EL2 is not in the log before the tree at 0x10000 is'),
        'TLBI vae2is is of EL2 stage 1, whose tree the log does not name (no TTBR0_EL2)',
        expect.stringContaining('thread 7 issues TLBIs without having written VTTBR_EL2'),
        expect.stringContaining('locks are not in this log'),
        expect.stringContaining('a thread of this log is a CPU'),
        'entries not flushed yet at the end of the log: 1',
      ],
    });
  });
});

it('a walk starts where VTCR_EL2 says', () => {
  // 40 bits, SL0 = 1: level 1, two pages side by side (KVM's usual one).
  const vtcr = ((1n << 6n) | 24n).toString(16);
  const log = planted();
  log.lines.splice(5, 0, `(sysreg-write (id 90) (tid 0) (sysreg vtcr_el2) (value ${vtcr}))`);
  log.write(PAGES.root, 0n).write(PAGES.root, block(0x4000_0000));
  expect(judge(log).violations[0]?.entry).toContain('level 1, IPA 0x0 to 0x3fffffff');
  const second = new Log().add('sysreg-write', `(sysreg vtcr_el2) (value ${vtcr})`).vttbr(0x20000);
  second.write(0x21000, block(0x4000_0000)).write(0x21000, block(0x8000_0000));
  expect(judge(second).violations[0]?.entry).toContain('IPA 0x8000000000 to 0x803fffffff');
});
