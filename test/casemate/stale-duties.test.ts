/** What may still be cached belongs to addresses of a VM, not to the memory its descriptor lay in. */
import { describe, expect, it } from 'vitest';
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, type Log, page, PAGES, planted, table } from './logs.ts';

const { mid, low, leaf, other } = PAGES;
/** The sixth page of the table at `leaf` or, later, at `other`: IPA 0x5000. */
const SIXTH = 5 * 8;
const PA = 0x9000_0000;
const found = (log: Log, bbm: BbmLevel = 0) =>
  judgeLog(log.text, bbm).violations.map(({ line, rule, why, entry }) => ({
    line,
    rule,
    why,
    entry,
  }));
const byIpa = (log: Log, ipa = 0) =>
  log
    .dsb()
    .tlbi(`ipas2e1is (value 0x${(ipa / 4096).toString(16)})`)
    .dsb()
    .tlbi('vmalle1is')
    .dsb();
/** Page 5 is unmapped without its flush, then the table, which is empty by now, with one by address. */
const left = () => {
  const log = planted()
    .write(leaf, 0n)
    .write(leaf + SIXTH, page(PA + 0x5000));
  return byIpa(
    byIpa(log)
      .write(leaf + SIXTH, 0n)
      .write(low, 0n),
  );
};
const unclean = (line: number, why: string, entry: string) => [
  {
    line,
    rule: 'break-before-make',
    why: expect.stringContaining(why) as string,
    entry: expect.stringContaining(entry) as string,
  },
];

describe('a page that was unmapped, not flushed, before its table was', () => {
  it('is in the way of a block', () => {
    const log = left();
    const line = log.next;
    expect(found(log.write(low, block(0x4000_0000)))).toEqual(
      unclean(
        line,
        '(page to block, output address, BBM level 0; IPA 0x5000 to 0x5fff)',
        'level 2',
      ),
    );
    expect(found(left().write(low, block(0x4000_0000)), 2)).toHaveLength(1);
  });

  it('is in the way of a block that maps the same, unless FEAT_BBM allows two sizes', () => {
    const log = () => left().write(low, block(PA));
    expect(found(log(), 0)).toHaveLength(1);
    expect(found(log(), 1)).toHaveLength(1);
    expect(found(log(), 2)).toEqual([]);
    expect(found(left().write(low, block(PA) | (1n << 16n)), 1)).toEqual([]);
  });

  it('is in the way of a page elsewhere in another table, stored before or after it is linked', () => {
    const after = left().write(low, table(other));
    const line = after.next;
    const why = 'not clean (output address, BBM level 0): TLBI IPAS2E1IS 0x0';
    expect(found(after.write(other + SIXTH, page(0x8000_0000)))).toEqual(
      unclean(line, why, 'entry at 0x14028, level 3, IPA 0x5000'),
    );
    const before = left().write(other + SIXTH, page(0x8000_0000));
    const link = before.next;
    expect(found(before.write(low, table(other)))).toEqual(
      unclean(link, why, 'entry at 0x14028, level 3, IPA 0x5000'),
    );
  });

  it('is in the way of a block that a new table higher up has', () => {
    const log = byIpa(left().write(mid, 0n)).write(other, block(0x4000_0000));
    const line = log.next;
    expect(found(log.write(mid, table(other)))).toEqual(
      unclean(line, 'page to block', 'entry at 0x14000, level 2'),
    );
  });

  it.each<readonly [string, (log: Log) => Log]>([
    ['a table without that page', (l) => l.write(other, page(0)).write(low, table(other))],
    [
      'a table with the same page',
      (l) => l.write(low, table(other)).write(other + SIXTH, page(PA + 0x5000)),
    ],
    ['a block, flushed by then', (l) => l.flush().write(low, block(0x4000_0000))],
    ['a block, its range flushed by then', (l) => byIpa(l, 0x5000).write(low, block(0))],
    ['a block beside it', (l) => l.write(low + 8, block(0x4000_0000))],
  ])('is not in the way of %s', (_, make) => {
    expect(found(make(left()))).toEqual([]);
  });
});

it('a table that was unlinked, not flushed, before the one above it was is in the way of a block', () => {
  const log = byIpa(
    planted()
      .write(low, 0n)
      .write(low + SIXTH, table(other))
      .flush()
      .write(low + SIXTH, 0n)
      .write(mid, 0n),
  );
  const line = log.next;
  expect(found(log.write(mid, block(0x4000_0000)))).toEqual(
    unclean(line, '(table to block, BBM level 0; IPA 0xa00000 to 0xbfffff)', 'level 1'),
  );
});

describe('the page of such a table, freed and used anew while the flush of its leaf is deferred', () => {
  const freed = () => {
    const log = left().add('mem-free', `(address 0x${leaf.toString(16)}) (size 0x1000)`);
    return log.add('mem-init', `(address 0x${leaf.toString(16)}) (size 0x1000)`);
  };
  const changed = (log: Log, flush: (log: Log) => Log) =>
    flush(log.write(leaf + SIXTH, page(PA + 0x5000)).write(leaf + SIXTH, 0n)).write(
      leaf + SIXTH,
      page(0x7000_0000),
    );

  it('has nothing to do with it at other addresses of the VM', () => {
    const moved = () => freed().write(low + 8, table(leaf));
    expect(found(changed(moved(), (log) => byIpa(log, 0x20_5000)))).toEqual([]);
    expect(found(changed(moved(), (log) => byIpa(log, 0x5000)))).toMatchObject([
      { entry: expect.stringContaining('IPA 0x205000 to') as string },
    ]);
  });

  it('nor in another VM', () => {
    const log = freed().add('barrier', 'isb', 1).vttbr(0x20000, 9, 1);
    log.write(0x20000, table(0x21000), 1).write(0x21000, table(0x22000), 1);
    log.write(0x22000, table(leaf), 1).write(leaf + SIXTH, page(0x7000_0000), 1);
    expect(found(log)).toEqual([]);
  });
});

describe('what another thread flushed with the table', () => {
  const flushed = () => planted().write(leaf, 0n, 1).vttbr(PAGES.root, 3, 1).write(low, 0n).flush();

  it.each<readonly [string, (log: Log) => Log]>([
    ['a block', (log) => log.write(low, block(0x4000_0000))],
    ['a table', (log) => log.write(low, table(other)).write(other, page(0x9000_0000))],
  ])('is clean for %s, as nobody walks to it any more', (_, make) => {
    expect(judgeLog(make(flushed()).text, 0)).toMatchObject({ verdict: 'clean', violations: [] });
  });
});
