/** A page of memory is one table of one tree, however it became part of a second one. */
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, page, PAGES, planted, table } from './logs.ts';

const { root, mid, low, leaf, other } = PAGES;
const SECOND = 0x20000;
const judge = (log: Log) => judgeLog(log.text, 0);
const freed = (line: number, why: string, entry: string) => [
  expect.objectContaining({
    line,
    rule: 'freed-table',
    why: expect.stringContaining(why) as string,
    entry: expect.stringContaining(entry) as string,
  }),
];
const isb = (log: Log, thread = 0) => log.add('barrier', 'isb', thread);
const told = (log: Log) => judge(log).violations;
/** A store that would link `child` in a subtree which the next one makes part of the tree. */
const linked = (log: Log, child: number, at = mid + 8) => {
  log.write(other, table(child));
  const line = log.next;
  return [log.write(at, table(other)), line] as const;
};

describe('a table in a subtree that was built before it is linked', () => {
  it('may not be part of the tree already', () => {
    const [log, line] = linked(planted(), leaf);
    expect(told(log)).toEqual(
      freed(line, 'still part of the tree, by the entry at 0x12000', 'table page 0x13000, linked'),
    );
  });

  it('may not be what walkers still come to', () => {
    const [log, line] = linked(planted().write(low, 0n), leaf);
    expect(told(log)).toEqual(freed(line, 'linked again while walkers', 'table page 0x13000'));
    const [clean] = linked(planted().write(low, 0n).flush(), leaf);
    expect(told(clean)).toEqual([]);
  });

  it('may not be in the tree of another VM that is loaded', () => {
    const log = isb(planted().vttbr(SECOND, 9, 1), 1);
    const [made, line] = linked(log, leaf, SECOND);
    expect(told(made)).toEqual(freed(line, 'used in two places', 'level 1'));
  });

  it('may be what another thread flushed, as far as the log tells', () => {
    const [log] = linked(planted().write(low, 0n, 1).flush(), leaf);
    expect(judge(log)).toMatchObject({ verdict: 'not-judged', violations: [] });
  });
});

describe('a root', () => {
  it('may not be a table that walkers come to', () => {
    const log = isb(planted());
    const line = log.next;
    expect(told(isb(log.vttbr(low, 9, 1), 1))).toEqual(
      freed(line, 'used in two places', 'table page 0x12000, a root of the tree at 0x12000'),
    );
  });

  it('may not be one that was unlinked and not flushed', () => {
    const log = planted().write(mid, 0n);
    const line = log.next;
    expect(told(log.vttbr(low, 9, 1))).toEqual(
      freed(line, 'walkers may still come to it by the entry at 0x11000', 'table page 0x12000'),
    );
    expect(told(planted().write(mid, 0n).flush().vttbr(low, 9, 1))).toEqual([]);
  });

  it('may not have one of these for its second page either', () => {
    const vtcr = `(sysreg vtcr_el2) (value 0x${((1n << 6n) | 24n).toString(16)})`;
    const log = planted()
      .write(mid + 8, table(0x31000))
      .add('sysreg-write', vtcr, 1);
    const line = log.next;
    expect(told(log.vttbr(0x30000, 9, 1))).toEqual(
      freed(line, 'by the entry at 0x11008', 'table page 0x31000, a root of the tree at 0x30000'),
    );
  });
});

/** The same tree, but that `change` came before it was registered. */
const found = (change: (log: Log) => Log) => {
  const log = planted();
  log.lines.pop();
  return change(log).vttbr();
};

describe('a table that a tree has twice when it is registered', () => {
  it('is judged for its first addresses only, which is said', () => {
    const log = found((l) => l.write(low + 8, table(leaf)));
    const run = judge(log.write(leaf, 0n));
    expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(run.notJudged[0]).toMatch(
      /^line \d+: the entry at 0x12008 links the table at 0x13000 a second time in one tree/,
    );
  });
});

it('links of one kind that are not judged are told in one line, with how many there are', () => {
  const log = found((l) => l.write(low + 8, table(leaf)).write(low + 16, table(leaf)));
  const told = judge(log.write(leaf, 0n)).notJudged.filter((text) => text.includes('links'));
  expect(told).toEqual([expect.stringMatching(/0x12008 .* are judged; 1 more link like it$/)]);
  const more = judge(log.write(low + 24, table(low)).write(low + 32, table(low)));
  expect(more.notJudged.filter((text) => text.includes('(a self-map)'))).toEqual([
    expect.stringMatching(/0x12018 .* is not judged; 1 more link like it$/),
  ]);
});

describe('a table that links itself', () => {
  it.each<readonly [string, (log: Log) => Log, number]>([
    ['in a root', (log) => log.write(root + 0xff8, table(root)), root],
    ['further down', (log) => log.write(low + 8, table(low)), low],
    ['by one below it', (log) => log.write(low + 8, table(mid)), mid],
  ])('%s is told in one line, and the rest is judged', (_, map, at) => {
    const run = judge(map(planted()).write(leaf, page(0x7000_0000)).write(mid, 0n).flush());
    expect(run.violations).toMatchObject([{ rule: 'break-before-make', line: 12 }]);
    const told = `links the table at 0x${at.toString(16)}, which it lies in or below (a self-map)`;
    expect(run.notJudged.filter((text) => text.includes(told))).toHaveLength(1);
  });

  it('is one when its tree is registered, too, and may be unlinked', () => {
    const log = found((l) => l.write(low + 8, table(low)));
    const run = judge(log.write(mid, 0n).flush().write(mid, block(0x4000_0000)));
    expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
  });
});

it('tables that came to lie below themselves are followed to an end', () => {
  const [b, c, d] = [0x30000, 0x40000, 0x50000];
  const log = new Log().vttbr(SECOND).write(SECOND, table(b));
  log
    .write(b + 8, table(c))
    .write(SECOND, table(d))
    .write(b + 8, table(SECOND));
  log
    .write(d, table(b))
    .write(c, table(SECOND))
    .write(d + 8, table(SECOND));
  expect(judge(log.write(SECOND, 0n)).verdict).toBe('violated');
});
