/** Where FEAT_BBM lets an entry change its size without a break, nothing else may change with it. */
import { describe, expect, it } from 'vitest';
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, page, PAGES, planted, table } from './logs.ts';

const { root, mid, low, leaf, other } = PAGES;
const PA = 0x8000_0000;
const NT = 1n << 16n;
const READ_ONLY = ~(1n << 7n);
const whys = (log: Log, bbm: BbmLevel = 2) =>
  judgeLog(log.text, bbm).violations.map(({ why }) => why);
const changed = (what: string) => [
  expect.stringMatching(new RegExp(`${what}, BBM level \\d\\): a change of size without`)),
];
/** The tree has the block in place of its lowest table. */
const withBlock = (d = block(PA)) => planted().write(low, 0n).flush().write(low, d);
const byIpa = (log: Log) => log.dsb().tlbi('ipas2e1is (value 0x0)').dsb().tlbi('vmalle1is').dsb();

describe('a table that becomes a block', () => {
  it('maps what it did', () => {
    expect(whys(planted().write(low, block(PA)).flush())).toEqual([]);
    expect(whys(planted().write(low, block(0x4000_0000)))).toEqual(
      changed('table to block, and output address'),
    );
    expect(whys(planted().write(low, block(PA) & READ_ONLY))).toEqual(
      changed('table to block, and write permission'),
    );
  });

  it('does so with nT, too', () => {
    expect(whys(planted().write(low, block(PA) | NT), 1)).toEqual([]);
    expect(whys(planted().write(low, block(0x4000_0000) | NT), 1)).toEqual(
      changed('output address'),
    );
  });

  it('maps what its tables did at any depth', () => {
    const log = (pa: number) => planted().write(mid, block(pa));
    expect(whys(log(PA))).toEqual([]);
    expect(whys(log(0x4000_0000))).toEqual(changed('output address'));
  });

  it('after a break that was not flushed is no other', () => {
    const log = planted().write(low, 0n).dsb();
    const line = log.next - 2;
    expect(whys(log.write(low, block(0x4000_0000)))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^valid stored over what is not clean \\(table to block, and output address.*no TLBI came between the store of event ${line} and`,
        ),
      ),
    ]);
  });

  it('may differ from leaves that were flushed', () => {
    const log = (flush: (log: Log) => Log) =>
      whys(flush(planted().write(low, 0n)).write(low, block(0x4000_0000)));
    // The only page of the table; its range is not.
    expect(log(byIpa)).toEqual([]);
    expect(log((l) => l.dsb().tlbi('ipas2e1is (value 0x1)').dsb())).toHaveLength(1);
  });

  it('is held to it in EL2’s own tree', () => {
    const el2 = (pa: number) => {
      const log = new Log().write(root, table(mid)).write(mid, table(leaf));
      log.write(leaf, block(PA));
      log.add('sysreg-write', `(sysreg ttbr0_el2) (value 0x${root.toString(16)})`);
      return whys(log.write(mid, block(pa)));
    };
    expect(el2(PA)).toEqual([]);
    expect(el2(0x4000_0000)).toEqual(changed('output address'));
  });
});

describe('a block that becomes a table', () => {
  const split = (d: bigint, bbm: BbmLevel = 2) =>
    whys(
      withBlock()
        .write(other + 8, d)
        .write(low, table(other)),
      bbm,
    );

  it('has pages that map what it did, or none', () => {
    expect(split(page(PA + 0x1000))).toEqual([]);
    expect(split(page(PA + 0x1000) & READ_ONLY)).toEqual(changed('write permission'));
    expect(split(page(PA + 0x2000))).toEqual(changed('block to table, and output address'));
    expect(split(page(PA + 0x2000, false))).toEqual([]);
  });

  it('in EL2’s own tree does, too', () => {
    const log = new Log().write(root, table(mid)).write(mid, block(PA));
    log.add('sysreg-write', `(sysreg ttbr0_el2) (value 0x${root.toString(16)})`);
    expect(whys(log.write(leaf, block(0x4000_0000)).write(mid, table(leaf)))).toEqual(
      changed('output address'),
    );
  });

  it('gets no page that maps something else before the block is flushed', () => {
    const empty = () => withBlock().write(low, table(other));
    const elsewhere = page(0x7000_0000);
    expect(whys(empty().write(other, page(PA)))).toEqual([]);
    expect(whys(empty().flush().write(other, elsewhere))).toEqual([]);
    expect(whys(empty().write(other, elsewhere))).toEqual([
      expect.stringMatching(
        /^valid stored while the block that the table replaced may still be cached \(output address, BBM level 2\): no TLBI came/,
      ),
    ]);
    // As often as it is done, and in a table of its own, it is one cause.
    const deep = withBlock().write(mid, 0n).flush().write(mid, block(PA)).write(mid, table(other));
    deep.write(low, elsewhere).write(other, table(low));
    expect(whys(deep)).toEqual([expect.stringContaining('may still be cached (output address')]);
  });

  it('is wrong in itself where that is not allowed', () => {
    expect(whys(withBlock().write(low, table(other)).write(other, page(0x7000_0000)), 0)).toEqual([
      expect.stringContaining('(block to table, BBM level 0)'),
    ]);
  });
});
