/** Numbers of trees: one that goes from tree to tree, and trees that go from number to number. */
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { block, type Log, PAGES, planted, VMID } from './logs.ts';

const { root, low, other } = PAGES;
const OWN = 9;
const judge = (log: Log) => judgeLog(log.text, 0);
const found = (log: Log) => judge(log).violations.map(({ line, rule }) => ({ line, rule }));
const isb = (log: Log, thread = 0) => log.add('barrier', 'isb', thread);
const memory = (log: Log, kind: string, at: number) =>
  log.add(kind, `(address 0x${at.toString(16)}) (size 0x1000)`);
/** The other tree with a table in it that nothing is below. */
const use = (log: Log): [Log, number] => {
  const line = log.next;
  return [log.write(other, 0x15003n), line];
};

describe('the VMID of another tree', () => {
  it('is free only once a DSB has completed the TLBI, on the same CPU', () => {
    const flushed = (end: (log: Log) => Log) =>
      use(isb(end(planted().tlbi('alle1is')).vttbr(other)));
    expect(found(flushed((log) => log.dsb())[0])).toEqual([]);
    for (const end of [
      (log: Log) => log,
      (log: Log) => log.dsb('nsh'),
      (log: Log) => log.dsb('ishst'),
      (log: Log) => log.dsb('ish', 1),
    ]) {
      const [log, line] = flushed(end);
      expect(found(log)).toEqual([{ line, rule: 'vmid-isolation' }]);
    }
  });

  it('is free from the DSB on, wherever the first use of the other tree stands before it', () => {
    const loaded = () => isb(planted().vttbr(other));
    expect(found(use(isb(planted().tlbi('alle1is').vttbr(other)).dsb())[0])).toEqual([]);
    expect(found(use(loaded().tlbi('alle1is').vttbr(0, 0).dsb())[0])).toEqual([]);
    const [log, line] = use(loaded().tlbi('alle1is').vttbr(0, 0));
    expect(found(log)).toEqual([{ line, rule: 'vmid-isolation' }]);
    const third = isb(loaded().tlbi('alle1is').write(other, 0x15003n));
    expect(found(third)).toHaveLength(1);
  });

  it('holds what the first tree had, though that was emptied before it got another', () => {
    const emptied = (flush: (log: Log) => Log) =>
      use(isb(isb(flush(planted().write(root, 0n)).vttbr(root, 9)).vttbr(other)));
    const [log, line] = emptied((l) => l.dsb());
    expect(found(log)).toEqual([{ line, rule: 'vmid-isolation' }]);
    const range = (l: Log) => l.dsb().tlbi(`ripas2e1is (value 0x7f8000000000)`).dsb();
    expect(found(emptied((l) => range(l).tlbi('vmalle1is').dsb())[0])).toHaveLength(1);
    expect(found(emptied((l) => l.flush())[0])).toEqual([]);
  });

  it('was an older tree’s, if the log gave that up and its root was handed out again', () => {
    const given = (log: Log) =>
      log.add('hint', `(kind release_table) (location 0x${root.toString(16)}) (value 0x0)`);
    const again = (log: Log) => isb(memory(log, 'mem-init', root).write(root, 0x15003n).vttbr());
    const log = again(memory(given(planted()), 'mem-free', root));
    const line = log.next;
    expect(found(log.write(root + 8, 0x16003n))).toEqual([{ line, rule: 'vmid-isolation' }]);
    const flushed = again(given(planted().flush()));
    expect(found(flushed.write(root + 8, 0x16003n))).toEqual([]);
    // A tracer may name the wrong tree: this one goes on as it was.
    expect(found(isb(given(planted()).vttbr()).write(root + 8, 0x16003n))).toEqual([]);
  });

  it('is left open where the log ends before it was used', () => {
    const judged = judge(isb(planted().vttbr(other)));
    expect(judged.violations).toEqual([]);
    expect(judged.notJudged).toContainEqual(expect.stringMatching(/ran under: .*it ends there$/));
    expect(judge(isb(planted().vttbr(other)).flush()).notJudged.join()).not.toContain('ran under');
  });

  it('is left open where another CPU still has the first tree: it may be in its host', () => {
    const log = planted().vttbr(root, VMID, 1).flush();
    const judged = judge(isb(log.vttbr(other)).write(other, 0x15003n));
    expect(judged.violations).toEqual([]);
    expect(judged.notJudged).toContainEqual(
      expect.stringMatching(/while thread 1 still has the tree at 0x10000 loaded under it/),
    );
    const moved = planted().vttbr(root, VMID, 1).flush().vttbr(0, 0, 1).vttbr(other);
    expect(judge(moved).notJudged.join()).not.toContain('still has');
  });
});

describe('a tree that gets another VMID', () => {
  const make = (log: Log) => log.write(low, block(0x8000_0000)).dsb();
  const broken = () => isb(planted()).write(low, 0n).dsb();

  it('is flushed under the one that a CPU has it under, if the new one came after the break', () => {
    const moved = isb(broken().vttbr(root, OWN, 1), 1);
    expect(judge(make(moved.tlbi('vmalls12e1is').dsb()))).toMatchObject({
      verdict: 'clean',
      violations: [],
    });
    const not = isb(broken().vttbr(root, OWN, 1), 1);
    const line = not.next;
    expect(found(make(not))).toEqual([{ line, rule: 'break-before-make' }]);
  });

  it('is flushed under the new one, if the break was not ordered before', () => {
    const moved = () => isb(isb(planted()).write(low, 0n).vttbr(root, OWN));
    expect(found(make(moved().flush()))).toEqual([]);
    expect(found(make(moved().dsb()))).toMatchObject([{ rule: 'break-before-make' }]);
    const used = isb(planted()).write(low, 0n).vttbr(root, OWN, 1);
    expect(judge(used).notJudged).toContainEqual(
      expect.stringContaining('line 13: VMID 9 came into use for a tree while the store'),
    );
  });

  it('needs no flush under one that nobody uses, until it goes back to that', () => {
    const there = () => make(isb(broken().vttbr(root, OWN)));
    expect(found(there())).toEqual([]);
    const back = isb(there().vttbr());
    expect(judge(back).notJudged.join()).toContain(
      'which had it before: entries of it were changed',
    );
    const line = back.next;
    expect(found(back.write(low + 8, block(0)))).toEqual([{ line, rule: 'vmid-isolation' }]);
    expect(
      found(
        isb(there().vttbr())
          .flush()
          .write(low + 8, block(0)),
      ),
    ).toEqual([]);
    // Flushed under that one before it left it: nothing old is there.
    const clean = make(isb(broken().tlbi('vmalls12e1is').dsb().vttbr(root, OWN)));
    expect(found(isb(clean.vttbr()).write(low + 8, block(0)))).toEqual([]);
  });

  it('goes back to what it had, if nothing was broken meanwhile', () => {
    const log = isb(
      isb(isb(planted()).vttbr(root, OWN))
        .write(low + 8, block(0))
        .dsb()
        .vttbr(),
    );
    expect(found(log.write(low + 16, block(0)))).toEqual([]);
    const changed = isb(isb(planted()).vttbr(root, OWN)).write(low, 0n).flush();
    expect(found(isb(changed.vttbr()).write(low + 16, block(0)))).toHaveLength(1);
  });

  it('is left open where it goes back and flushes some of it', () => {
    const log = isb(make(isb(broken().vttbr(root, OWN))).vttbr()).tlbi('ipas2e1is (value 0x0)');
    const judged = judge(
      log
        .dsb()
        .tlbi('vmalle1is')
        .dsb()
        .write(low + 8, block(0)),
    );
    expect(judged).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(judged.notJudged[0]).toContain('whether the TLBIs of some (line 20) were of all these');
  });

  it('is left open where two CPUs have it under two: one may be in its host', () => {
    const two = () => isb(isb(planted().vttbr(root, VMID, 1), 1).vttbr(root, OWN)).write(low, 0n);
    const judged = judge(make(two().flush()));
    expect(judged).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(judged.notJudged[0]).toContain(
      'the tree at 0x10000 is loaded under VMID 3 and 9 at once',
    );
    // By the one that was loaded first: that may be the guest's.
    const first = isb(isb(planted()).vttbr(root, OWN, 1), 1)
      .write(low, 0n)
      .flush();
    expect(judge(make(first))).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(found(make(two().dsb()))).toMatchObject([{ rule: 'break-before-make' }]);
    // All VMIDs were flushed and given out anew: what a CPU still has loaded is of before that.
    const anew = isb(planted().vttbr(root, VMID, 1), 1)
      .tlbi('alle1is')
      .dsb()
      .vttbr(root, OWN);
    const again = judge(make(isb(anew).write(low, 0n).flush()));
    expect(again).toMatchObject({ verdict: 'clean', violations: [] });
    expect(again.notJudged.join()).not.toContain('at once');
  });
});
