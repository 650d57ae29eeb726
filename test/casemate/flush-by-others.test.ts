/** What the barriers and TLBIs of other CPUs do for an entry, and what they do not. */
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, Log, PAGES, planted, table, VMID } from './logs.ts';

const { root, low } = PAGES;
const judge = (log: Log) => judgeLog(log.text, 0);
const make = (log: Log) => log.write(low, block(0x8000_0000));

describe('a DSB', () => {
  const whys = (log: Log) => judge(log).violations.map(({ why }) => why);
  const unfinished = [expect.stringContaining('not followed by a DSB ISH')];

  it('of another CPU completes no TLBI of this one', () => {
    expect(whys(make(planted().write(low, 0n).dsb().tlbi('vmalls12e1is').dsb('ish', 1)))).toEqual(
      unfinished,
    );
  });

  it('of another CPU completes none of EL2’s own either', () => {
    const log = new Log().write(root, table(low)).write(low, block(0x4000_0000));
    log.add('sysreg-write', `(sysreg ttbr0_el2) (value 0x${root.toString(16)})`);
    expect(whys(make(log.write(low, 0n).dsb().tlbi('alle2is').dsb('ish', 1)))).toEqual(unfinished);
  });

  it.each<readonly [string, (log: Log) => Log]>([
    ['that issued the TLBI', (log) => log.tlbi('vmalls12e1is', 1)],
    [
      'that issued one of its own meanwhile',
      (log) => log.tlbi('vmalls12e1is').tlbi('vmalls12e1is', 1),
    ],
    [
      'that issued one of two',
      (log) => log.tlbi('ripas2e1is (value 0x5f8000000000)').dsb().tlbi('vmalle1is', 1),
    ],
  ])('of another CPU %s may complete it: it is left open', (_, flush) => {
    const log = planted().vttbr(root, VMID, 1).write(low, 0n).dsb();
    const run = judge(make(flush(log).dsb('ish', 1)));
    expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(run.notJudged[0]).toContain('whether a task moved from one CPU to the other (no task');
  });

  it('is not said to be of an unknown task where the log has tasks', () => {
    const log = make(planted().vttbr(root, VMID, 1).write(low, 0n).flush(1));
    const text = log.lines.map((line, i) => line.replace(/\)$/, ` (task ${i < 12 ? 1 : 2}))`));
    expect(judgeLog(text.join('\n'), 0).notJudged[0]).toMatch(/does not tell whether it had seen/);
  });
});

it.each([0, 7, 8, 40])('a flush in two steps is judged alike after %i others', (others) => {
  const log = planted().vttbr(root, VMID, 1).write(low, 0n).dsb();
  for (let i = 0; i < others; i++) log.tlbi('ipas2e1is (value 0x80000)', 1).dsb('ish', 1);
  // The table in walk caches, and once that is done all leaves of the range: 32 * 2^6 pages.
  log.tlbi('ipas2e1is (value 0x0)').dsb().tlbi('ripas2le1is (value 0x5f8000000000)').dsb();
  expect(judge(make(log.tlbi('vmalle1is').dsb()))).toMatchObject({
    verdict: 'clean',
    violations: [],
  });
});
