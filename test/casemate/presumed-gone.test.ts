/** A tree that no CPU has loaded is taken as given up once a page of it is used anew, unless it comes back. */
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, type Log, page, PAGES, planted, table, VMID } from './logs.ts';

const { root, mid, low, leaf } = PAGES;
const SECOND = 0x20000;
const judge = (log: Log) => judgeLog(log.text, 0);
const isb = (log: Log) => log.add('barrier', 'isb');
/** The only CPU goes on to another VM. */
const left = (change = (log: Log): Log => log) => isb(isb(change(planted())).vttbr(SECOND, 9));
const back = (log: Log) => isb(log.vttbr(root, VMID));
const init = (log: Log, at: number) =>
  log.add('mem-init', `(address 0x${at.toString(16)}) (size 0x1000)`);

describe('a table of a tree that is not loaded', () => {
  it('in another tree means that the first is no more', () => {
    const run = judge(left().write(SECOND, table(low)));
    expect(run).toMatchObject({ verdict: 'clean', violations: [] });
    expect(run.notJudged).toContainEqual(expect.stringContaining('0x10000 is taken as given up'));
  });

  it('is used twice if the first is loaded again, with the table in its place', () => {
    const log = left().write(SECOND, table(low));
    const line = log.next;
    const run = judge(back(log));
    expect(run.violations).toMatchObject([
      {
        line,
        rule: 'freed-table',
        why:
          `a table page is used in two places: since line ${line - 1} the tree at 0x20000 has it, ` +
          'and this one is loaded with it by the entry at 0x11000',
        entry: 'table page 0x12000 of the tree at 0x10000',
      },
    ]);
    expect(run.notJudged.join('\n')).not.toContain('taken as given up');
  });

  it('that is filled anew and then loaded again is not judged', () => {
    const run = judge(back(init(left(), low)).write(low + 8, block(0x4000_0000)));
    expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(run.notJudged[0]).toMatch(
      /^the tree at 0x10000 is loaded again at line \d+ with its table page 0x12000, which was used anew/,
    );
  });

  it.each<readonly [string, (log: Log) => Log]>([
    ['the table was unlinked', (log) => back(log.write(mid, 0n).write(SECOND, table(low)))],
    [
      'the table came back',
      (log) => {
        const lent = log.write(mid, 0n).write(SECOND, table(low)).write(SECOND, 0n).flush();
        return back(lent.write(mid, table(low)));
      },
    ],
    ['its root is another', (log) => back(init(log.write(SECOND, table(low)), root))],
    [
      'it was given up, which was told later',
      (log) =>
        back(
          log
            .write(SECOND, table(low))
            .add('hint', `(kind release_table) (location 0x${root.toString(16)}) (value 0)`),
        ),
    ],
  ])('is not used twice if %s', (_, change) => {
    const run = judge(change(left()));
    expect(run.violations).toEqual([]);
    expect(run.notJudged.join('\n')).toContain('0x10000 is taken as given up');
  });

  it('is judged from its reload on as memory has it', () => {
    const log = back(left().write(SECOND, table(low)));
    const line = log.write(leaf, page(0x7000_0000)).next - 1;
    expect(judge(log).violations).toMatchObject([
      { rule: 'freed-table' },
      { line, rule: 'break-before-make' },
    ]);
  });
});

describe('after a release of what is no table of any tree', () => {
  const hint = (log: Log, kind: string, location: number) =>
    log.add('hint', `(kind ${kind}) (location 0x${location.toString(16)}) (value 0x7000)`);
  const free = (log: Log) => log.add('mem-free', `(address 0x${leaf.toString(16)}) (size 0x1000)`);
  const rules = (log: Log) => judge(log).violations.map(({ rule }) => rule);

  it('a tree may be the one that was given up', () => {
    expect(rules(free(planted()))).toEqual(['freed-table']);
    const run = judge(free(hint(planted(), 'release_table', 0x99000)));
    expect(run.violations).toEqual([]);
    expect(run.notJudged.join('\n')).toContain('0x10000 is taken as given up');
  });

  it('but not one whose end would be told', () => {
    const declared = hint(planted(), 'set_root_lock', root);
    expect(rules(free(hint(declared, 'release_table', 0x99000)))).toContain('freed-table');
  });
});
