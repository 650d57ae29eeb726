/** What the registers of each CPU say of the trees that it loads, and what no line of a log says. */
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, PAGES, planted, table } from './logs.ts';

const { root, mid, other } = PAGES;
const judge = (log: Log) => judgeLog(log.text, 0);
const vtcr = (log: Log, value: bigint, thread = 0) =>
  log.add('sysreg-write', `(sysreg vtcr_el2) (value 0x${value.toString(16)})`, thread);
const init = (log: Log, at: number) =>
  log.add('mem-init', `(address 0x${at.toString(16)}) (size 0x1000)`);
/** 39 bits that start at level 1, 48 that start at level 0. */
const SHORT = (1n << 6n) | 25n;
const LONG = (2n << 6n) | 16n;

describe('VTCR_EL2', () => {
  const remapped = (log: Log) =>
    judge(log.write(root, block(0x8000_0000))).violations.map(({ entry }) => entry);
  const begun = () => init(init(new Log(), root), other).write(root, block(0x4000_0000));

  it('is that of the CPU that loads the tree', () => {
    const log = vtcr(vtcr(begun(), SHORT), LONG, 1).vttbr(other, 2, 1).vttbr(root, 1);
    expect(remapped(log)).toEqual([expect.stringContaining('level 1, IPA 0x0 to 0x3fffffff')]);
    // A block of level 0 is none.
    expect(remapped(vtcr(vtcr(begun(), SHORT, 1), LONG).vttbr(root, 1))).toEqual([]);
  });

  it('is that of another CPU where the log has none of this one', () => {
    expect(remapped(vtcr(begun(), SHORT, 1).vttbr(root, 1))).toHaveLength(1);
  });

  it('is named where nobody wrote it', () => {
    const said = 'VTCR_EL2 is not in the log before the tree at 0x10000 is';
    expect(judge(planted()).notJudged).toContainEqual(expect.stringContaining(said));
    const { notJudged } = judge(vtcr(begun(), SHORT).vttbr(root, 1));
    expect(notJudged.join()).not.toContain('is not in the log before');
  });
});

describe('what is in a table', () => {
  const said = (log: Log) =>
    judge(log).notJudged.filter((text) => text.includes('before it became one'));

  it('is told by a store to it, or by an event that hands it out', () => {
    expect(said(planted())).toEqual([]);
    const range = new Log().add('mem-init', `(address 0x0) (size 0x${(1 << 20).toString(16)})`);
    expect(said(range.vttbr().write(root, table(mid)))).toEqual([]);
    expect(said(init(new Log(), root).vttbr().write(root, table(mid)))).toHaveLength(1);
  });

  it('is taken as nothing where no line tells, and that is said', () => {
    const [text] = said(new Log().vttbr().write(root, table(mid)));
    expect(text).toContain('what was in 2 tables (the first at 0x10000, line 1) before');
    expect(said(init(new Log().vttbr(), mid).write(root, table(mid)))[0]).toContain(
      'in the table at 0x10000 (line 1) before',
    );
  });
});
