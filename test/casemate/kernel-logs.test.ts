import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, page, PAGES, planted, table, VMID } from './logs.ts';

const { root, low, leaf, other } = PAGES;
const judge = (log: Log) => judgeLog(log.text, 0);
const whys = (log: Log) => judge(log).violations.map(({ why }) => why);
const vtcr = (value: bigint) =>
  new Log().add('sysreg-write', `(sysreg vtcr_el2) (value 0x${value.toString(16)})`);
const range = (base: number, num: number, scale: number, ttl = 0, tg = 1) =>
  `0x${(
    (BigInt(tg) << 46n) |
    (BigInt(scale) << 44n) |
    (BigInt(num) << 39n) |
    (BigInt(ttl) << 37n) |
    BigInt(base)
  ).toString(16)}`;
const isb = (log: Log, thread = 0) => log.add('barrier', 'isb', thread);

describe('the VMID of a tree', () => {
  it('may change: flushes go by the new one', () => {
    const made = (flushed: number) => {
      const log = isb(planted().vttbr(root, 9)).write(low, 0n);
      return isb(log.vttbr(root, flushed)).flush().vttbr(root, 9).write(low, block(0x8000_0000));
    };
    expect(whys(made(9))).toEqual([]);
    const log = isb(planted().vttbr(root, 9)).write(low, 0n).dsb();
    isb(log.vttbr(other, VMID)).tlbi('vmalls12e1is').dsb();
    expect(whys(log.write(low, block(0x8000_0000)))).toEqual([
      expect.stringContaining('acts on the wrong VMID: the table belongs to VMID 9'),
    ]);
  });

  it('is not given to another tree while TLBs hold entries of the first', () => {
    const log = isb(planted().vttbr(other));
    const line = log.next;
    log.write(other, block(0x4000_0000) | 2n);
    expect(judge(log).violations).toMatchObject([{ line, rule: 'vmid-isolation' }]);
    const flushed = isb(planted().vttbr(other)).flush().write(other, table(0x15000));
    expect(whys(flushed)).toEqual([]);
    expect(whys(planted().dsb().tlbi('alle1is').dsb().vttbr(other).write(other, 3n))).toEqual([]);
  });
});

describe('a VMID that trees have only until they get their own', () => {
  // Each VM is first loaded with VMID 0, to flush this CPU, before it gets a number and runs.
  const second = (first: Log) => {
    isb(first.vttbr(other, 0)).tlbi('vmalle1').dsb('nsh');
    return isb(isb(first.vttbr(0, 0)).vttbr(other, 2)).write(other, table(0x15000));
  };

  it('is nobody’s while the tree has nothing in it', () => {
    const log = new Log();
    for (const at of [root, other])
      log.add('mem-init', `(address 0x${at.toString(16)}) (size 0x1000)`);
    isb(log.vttbr(root, 0)).tlbi('vmalle1').dsb('nsh');
    isb(isb(log.vttbr(0, 0)).vttbr(root, 1)).write(root, table(low));
    expect(whys(second(log))).toEqual([]);
  });

  it('is the first tree’s once there is', () => {
    const log = isb(planted().vttbr(root, 0));
    isb(log.vttbr(root, 1));
    expect(whys(second(log))).toEqual([expect.stringContaining('ran under')]);
  });
});

describe('VTTBR_EL2 without an ISB before the TLBI', () => {
  const change = (between: (log: Log) => Log) => {
    const log = planted().write(low, 0n).dsb().vttbr(other, 4).vttbr();
    return between(log).tlbi('vmalls12e1is').dsb().write(low, block(0x8000_0000));
  };

  it('may act on the VMID of before', () => {
    expect(whys(change((log) => log))).toEqual([
      expect.stringMatching(/without an ISB before the TLBI, so it may act on VMID 4$/),
    ]);
    expect(whys(change(isb))).toEqual([]);
  });

  it('is left open where the log shows ISBs only while a store waits for its DSB', () => {
    const log = isb(planted().write(low, 0n)).dsb().vttbr(other, 4).vttbr();
    const judged = judge(log.tlbi('vmalls12e1is').dsb().write(low, block(0x8000_0000)));
    expect(judged.violations).toEqual([]);
    expect(judged.notJudged).toContainEqual(expect.stringContaining('without an ISB in between'));
  });
});

describe('TLBIs by range', () => {
  // (NUM + 1) * 2^(5 * SCALE + 1) pages: 512 with NUM 7 and SCALE 1.
  const change = (operand: string, log = planted(), kind = 'ripas2e1is') =>
    whys(
      log
        .write(low, 0n)
        .dsb()
        .tlbi(`${kind} (value ${operand})`)
        .dsb()
        .tlbi('vmalle1is')
        .dsb()
        .write(low, block(0x8000_0000)),
    );

  it('cover what base, NUM and SCALE say', () => {
    expect(change(range(0, 7, 1))).toEqual([]);
    expect(change(range(0, 6, 1))).toEqual([expect.stringContaining('does not cover the range')]);
    expect(change(range(512, 7, 1))).toEqual([expect.stringContaining("outside the entry's")]);
    expect(change(range(0, 7, 1, 3))).toEqual([]);
    expect(change(range(0, 7, 1, 2))).toEqual([expect.stringContaining('TTL hint')]);
    expect(change(range(0, 7, 1), planted(), 'ripas2le1is')).toEqual([
      expect.stringContaining('reaches leaves only'),
    ]);
  });

  it('are left open with a base that is not aligned to the level of their TTL', () => {
    const judged = (base: number, ttl: number) => {
      const log = planted().write(low, 0n).dsb();
      log
        .tlbi(`ripas2e1is (value ${range(base, 31, 1, ttl)})`)
        .dsb()
        .tlbi('vmalle1is')
        .dsb();
      return judge(log.write(low, block(0x8000_0000)));
    };
    const notJudged = expect.arrayContaining([
      expect.stringContaining('1 TLBI (the first at line 13) by range whose base is not aligned'),
    ]) as string[];
    expect(judged(5, 2)).toMatchObject({ verdict: 'violated', notJudged });
    const second = planted().tlbi(`ripas2e1is (value ${range(5, 0, 0, 2)})`);
    expect(judge(second.dsb().write(low + 8, block(0))).verdict).toBe('not-judged');
    for (const [base, ttl] of [
      [512, 2],
      [5, 3],
      [5, 0],
    ] as const)
      expect(judged(base, ttl).notJudged.join()).not.toContain('aligned');
  });

  it('take nothing with the granule of another tree', () => {
    expect(change(range(0, 7, 1, 0, 3))).not.toEqual([]);
  });

  it('count 64 KiB where VTCR_EL2.DS is set', () => {
    // Two pages of the second 2 MiB, which begin at page 512, or at 64 KiB unit 32.
    const second = (base: number, ds: bigint) => {
      const log = vtcr((ds << 32n) | (1n << 31n) | (1n << 21n) | (2n << 6n) | 16n);
      log
        .write(root, table(PAGES.mid))
        .write(PAGES.mid, table(low))
        .write(low + 8, block(0));
      log
        .vttbr()
        .write(low + 8, 0n)
        .dsb()
        .tlbi(`ripas2e1is (value ${range(base, 0, 0)})`);
      return whys(
        log
          .dsb()
          .tlbi('vmalle1is')
          .dsb()
          .write(low + 8, block(0x4000_0000)),
      );
    };
    expect(second(32, 1n)).toEqual([]);
    expect(second(512, 0n)).toEqual([]);
    expect(second(512, 1n)).toHaveLength(1);
    expect(second(32, 0n)).toHaveLength(1);
  });
});

describe('a TTL hint', () => {
  // A block of level 1 is not in the tree; the table of level 2 maps a page.
  const change = (ttl: bigint, kind = 'ipas2e1is', before = planted()) => {
    const log = before.write(leaf, 0n).dsb();
    log.tlbi(`${kind} (value 0x${(ttl << 44n).toString(16)})`).dsb();
    return judge(log.tlbi('vmalle1is').dsb().write(leaf, page(0x9000_0000)));
  };

  it.each([0b0111n, 0n, 0b0011n, 0b1000n])('is right with TTL %s', (ttl) => {
    expect(change(ttl)).toMatchObject({ verdict: 'clean', violations: [] });
  });

  it.each([
    [0b1011n, "not the table's granule but 16K"],
    [0b1111n, "not the table's granule but 64K"],
    [0b0110n, 'not the level of the old leaves'],
  ])('is wrong with TTL %s', (ttl, why) => {
    expect(change(ttl).violations.map((v) => v.why)).toEqual([expect.stringContaining(why)]);
  });

  it('of level 1 of 16K is one with FEAT_LPA2 alone', () => {
    const judged = change(0b1001n);
    expect(judged).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(judged.notJudged[0]).toContain('1 TLBI (the first at line 13) with TTL 0b1001');
    const large = vtcr((1n << 32n) | (2n << 6n) | 16n);
    large.lines.push(...planted().lines);
    expect(change(0b1001n, 'ipas2e1is', large).violations).toHaveLength(1);
  });
});

describe('sizes of trees', () => {
  it('of 52 bits that start at level 0 are judged', () => {
    const log = vtcr((1n << 32n) | (2n << 6n) | 12n).vttbr();
    log.write(root + 0xf000, 0x16003n).write(root + 0xf000, 0x17003n);
    expect(judge(log).violations[0]?.entry).toContain('level 0, IPA 0xf000000000000 to');
  });

  it('of 64K granules are judged', () => {
    const log = vtcr((1n << 14n) | (1n << 6n) | 22n).vttbr(0x20000);
    log.write(0x28000, 0x30003n).write(0x28000, 0x40003n);
    expect(judge(log).violations[0]?.entry).toContain('level 2, IPA 0x20000000000 to');
  });
});

describe('descriptors of FEAT_LPA2', () => {
  const large = (log: Log) => {
    const made = vtcr((1n << 32n) | (2n << 6n) | 16n);
    made.lines.push(...log.lines);
    // Ids that count up.
    made.lines.forEach((line, id) => (made.lines[id] = line.replace(/\(id \d+\)/, `(id ${id})`)));
    return made;
  };
  const SH = 0b11n << 8n;

  it.each([
    ['an address of 49 bits', leaf + 8, (1n << 48n) | (page(0x4000_0000) & ~SH)],
    ['an address of 52 bits', leaf + 8, page(0x4000_0000)],
    ['a block of level 0', root + 8, block(0) & ~SH],
  ])('are left open with %s', (_, at, value) => {
    const judged = judge(large(planted()).write(at, value));
    expect(judged).toMatchObject({ verdict: 'not-judged', violations: [] });
    const said = '1 store of or over leaves of FEAT_LPA2 (the first: line 12, entry at 0x';
    expect(judged.notJudged).toContainEqual(expect.stringContaining(said));
    expect(judge(planted().write(at, value)).verdict).toBe('clean');
  });

  it('are judged below 2^48, and so are tables above it', () => {
    const far = 0x0001_0000_0001_6000n;
    const log = large(planted()).write(leaf + 8, page(0x4000_0000) & ~SH);
    log.write(low + 8, far | 3n).write(Number(far), page(0x5000_0000) & ~SH);
    const line = log.next;
    log.write(Number(far), page(0x6000_0000) & ~SH);
    expect(judge(log).violations).toMatchObject([
      { line, entry: expect.stringContaining('entry at 0x1000000016000, level 3') as string },
    ]);
  });

  it('are not judged where the root is above it', () => {
    const log = large(new Log()).vttbr(0x20004);
    expect(judge(log).notJudged[0]).toContain('its root is above 2^48 (BADDR[5:2])');
  });
});

describe('one cause', () => {
  it('is one violation with a count, whatever was wrong with the entry because of it later', () => {
    const log = planted();
    const lines = [0, 8, 16].map((at) => {
      log.write(low + 0x100 + at, block(0x4000_0000));
      log.lines.push(log.lines.pop()?.replace(/mem\.c:\d+/, 'set') ?? '');
      // Local, at an address of its own: the sentence has other numbers each time.
      log.write(low + 0x100 + at, 0n).dsb();
      log.tlbi(`ipas2e1 (value 0x${(((0x100 + at) / 8) * 512).toString(16)})`).dsb();
      const line = log.next;
      log.write(low + 0x100 + at, block(0x8000_0000));
      log.lines.push(log.lines.pop()?.replace(/mem\.c:\d+/, 'make') ?? '');
      return line;
    });
    const { violations } = judge(log);
    expect(violations).toMatchObject([{ place: 'make', count: 3, line: lines[0] }]);
    expect(violations[0]?.entries).toHaveLength(3);
    expect(violations[0]?.events.map(({ text }) => text)).toEqual([
      'store 0x0 (invalid)',
      'DSB ISH',
      'TLBI IPAS2E1 0x4000000 vmid=3',
      'DSB ISH',
    ]);
  });

  it('is two if two places or two steps are wrong', () => {
    const log = planted().write(low, 0n).write(low, block(0x8000_0000));
    log
      .write(low + 8, block(0))
      .write(low + 8, 0n)
      .dsb()
      .tlbi('vmalls12e1')
      .dsb();
    log.write(low + 8, block(0x8000_0000));
    expect(judge(log).violations.map(({ count }) => count)).toEqual([1, 1]);
  });
});

describe('threads and tasks', () => {
  const change = (task: string) => {
    const log = planted()
      .write(low, 0n)
      .vttbr(root, VMID, 1)
      .flush(1)
      .write(low, block(0x8000_0000));
    return log.lines.map((line) => line.replace(/\)$/, `${task})`)).join('\n');
  };

  it('a flush by another thread is left open: the task may have moved', () => {
    const judged = judgeLog(change(''), 0);
    expect(judged).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(judged.notJudged[0]).toContain('1 finding (the first at line 16) left open');
  });

  it('a flush by the same task is its own, on whatever CPU', () => {
    expect(judgeLog(change(' (task 0xffff0001)'), 0)).toMatchObject({ verdict: 'clean' });
  });

  it('no flush at all is a violation with any number of threads', () => {
    const log = planted().write(low, 0n).dsb('ish', 1).write(low, block(0x8000_0000));
    expect(whys(log)).toEqual([expect.stringContaining('no TLBI came between')]);
  });
});

describe('what was done', () => {
  it.each([
    ['bit 10, v6.2 on', 1n << 10n, 'str locked'],
    ['type 1 in bits [63:60], v7.3', 1n << 60n, 'str locked'],
    ['an owner in bits [63:60]', 2n << 60n, 'str 0'],
  ])('with an entry that is marked by %s', (_, mark, step) => {
    const log = planted().write(low, mark).flush().write(low, block(0x8000_0000)).dsb('ishst');
    expect(judge(log).sequences.map(({ steps }) => steps[0])).toEqual([step]);
  });

  it('to a table whose pages were unmapped before is no change of a mapping’s size', () => {
    const log = planted().write(leaf, 0n).flush().write(low, 0n).flush();
    const { transitions, sequences } = judge(log.write(low, block(0x8000_0000)).dsb('ishst'));
    expect(transitions).toEqual({ map: 1, unmap: 1, 'unlink-table': 1 });
    expect(sequences).toEqual([]);
  });

  it('is counted by kind, with windows, and as sequences of steps', () => {
    const log = planted().write(low, 0n).dsb('ishst').tlbi('vmalls12e1is').dsb();
    isb(log).write(low, block(0x8000_0000)).dsb('ishst');
    log.write(low, 0n).dsb('ishst').tlbi('ipas2e1is (value 0x0)').dsb().tlbi('vmalle1is').dsb();
    log.write(low, table(leaf)).dsb('ishst');
    log.write(leaf + 8, page(0x1000)).write(leaf + 8, page(0x1000) & ~(1n << 7n));
    const judged = judge(log);
    expect(judged).toMatchObject({
      verdict: 'clean',
      transitions: { map: 1, coalesce: 1, split: 1, permission: 1 },
      windows: { count: 2, p50: 5, p99: 6, max: 6 },
      tlbis: { ipas2e1is: 1, vmalle1is: 1, vmalls12e1is: 1 },
    });
    expect(judged.sequences.map(({ kind, steps }) => `${kind}: ${steps.join('; ')}`)).toEqual([
      'coalesce: str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block; dsb ishst',
      'split: str 0; dsb ishst; tlbi ipas2e1is, ipa; dsb ish; tlbi vmalle1is; dsb ish; str table; dsb ishst',
    ]);
  });
});
