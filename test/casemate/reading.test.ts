import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { LogReading } from '../../src/casemate/index.ts';
import { fastLine } from '../../src/casemate/reading/fast-line.ts';
import { parseLog } from '../../src/casemate/reading/parse.ts';
import { block, Log, PAGES, planted } from './logs.ts';

const good = () => planted().write(PAGES.low, 0n).flush().write(PAGES.low, block(0x8000_0000));
const bad = () => planted().write(PAGES.low, 0n).write(PAGES.low, block(0x8000_0000));
const read = (text: string) => {
  const reading = new LogReading('x.log', 0);
  if (reading.push(text)) reading.end();
  return reading.run(false);
};

describe('the fast path', () => {
  it('reads what the parser reads, in any pieces', () => {
    const { lines, text } = bad();
    for (const line of lines)
      expect([...parseLog(line)]).toEqual([fastLine(line, 1) ?? [...parseLog(line)][0]]);
    expect(lines.filter((line) => fastLine(line, 1) !== null).length).toBeGreaterThan(5);
    const whole = read(text);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        const reading = new LogReading('x.log', 0);
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        places.forEach((from, i) => reading.push(text.slice(from, places[i + 1] ?? text.length)));
        reading.end();
        expect(reading.run(false)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('tells tasks, over several lines and in one', () => {
    const one = '(barrier (id 1) (tid 2) isb (src "a") (task 0xff))';
    expect(fastLine(one, 1)).toEqual([...parseLog(one)][0]);
    expect([...parseLog('(barrier (id 1)\n (tid 2) isb (task 0xff)\n (src "a"))')][0]).toEqual(
      fastLine(one, 1),
    );
  });
});

describe('a damaged log', () => {
  const shuffled = () => {
    const { lines } = good();
    return [...lines.keys()].map((i) => lines[(i * 7) % lines.length]).join('\n');
  };

  it.each([
    ['cut in a line', good().text.slice(0, -40), 'ends in the middle of an event, it was cut'],
    ['shuffled', shuffled(), 'out of order'],
    ['of another version', `(version 4)\n${good().text}`, 'expected a kind of event'],
    ['binary', '\0\u0001ELF\n', 'bytes that are no text'],
    ['binary inside a string', good().text.replace('mem.c:105', 'm\0'), 'bytes that are no text'],
    ['a line without an end', 'x'.repeat(100_000), 'longer than 65536 characters'],
    ['another program’s', '[ 0.0] Booting\n', 'expected "(" at the start of a record'],
  ])('that is %s is not clean, and says why', (_, text, why) => {
    const run = read(text);
    expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(run.damage?.why).toContain(why);
    expect(run.notJudged[0]).toMatch(new RegExp(`^line ${run.damage?.line}: .*judged$`));
  });

  it('keeps what was found before the damage', () => {
    const run = read(`${bad().text}(mem-w`);
    expect(run.verdict).toBe('violated');
    expect(run.damage).toMatchObject({ line: bad().next });
  });

  it('that is two logs, or lacks events, says so', () => {
    const twice = read(good().text + good().text);
    expect(twice).toMatchObject({ verdict: 'clean', events: 2 * good().lines.length });
    expect(twice.notJudged[0]).toContain('2 logs in one file, each judged from its own beginning');
    const all = good().lines;
    const halves = read([...all.slice(7), ...all.slice(0, 7), ''].join('\n'));
    expect(halves.notJudged[0]).toContain('parts of logs, or lines out of order');
    expect(halves.verdict).toBe('not-judged');
    const { lines } = good();
    const gap = read(`${[...lines.slice(0, 2), ...lines.slice(4)].join('\n')}\n`);
    expect(gap.notJudged).toContainEqual(expect.stringContaining('events may be missing'));
    // Events that were put in are told, and judged where they stand.
    const { lines: put } = good();
    put.splice(12, 0, put[4]?.replace('(id 4)', '(id 900)') ?? '');
    expect(read(`${put.join('\n')}\n`)).toMatchObject({ verdict: 'clean', damage: null });
  });
});

it('a byte order mark before the first line is no part of it', () => {
  expect(read(`\ufeff${good().text}`)).toEqual(read(good().text));
  expect(read(good().text.replace('\n', '\n\ufeff')).damage).toMatchObject({ line: 2 });
});

it('a task is one, however its lines are read', () => {
  const log = planted().write(PAGES.low, 0n).dsb().vttbr(undefined, undefined, 1);
  log.tlbi('vmalls12e1is', 1).dsb('ish', 1).write(PAGES.low, block(0x8000_0000), 1);
  const lines = log.lines.map((line) => line.replace(/\)$/, ' (task 0xFFFF0001))'));
  const slow = lines.map((line) => line.replace('(tlbi', '(TLBI').replace('(barrier', '(BARRIER'));
  expect(lines.filter((line, i) => line !== slow[i])).toHaveLength(3);
  for (const text of [lines, slow])
    expect(read(`${text.join('\n')}\n`)).toMatchObject({ verdict: 'clean', violations: [] });
});

it('a stopped log is judged as far as it was read', () => {
  const reading = new LogReading('x.log', 0);
  reading.push(good().text);
  const run = reading.run(true);
  expect(run.verdict).toBe('not-judged');
  expect(run.notJudged[0]).toBe(
    `stopped after ${good().lines.length} events: what follows was not judged`,
  );
});

it('many entries that wait for a flush are judged in time that grows with them alone', () => {
  const log = new Log().vttbr();
  const entries = 2000;
  // Each is flushed at another's address: nothing ever becomes clean.
  log.write(PAGES.root, 0x50003n).write(0x50000, 0x51003n);
  for (let i = 0; i < 512; i++) log.write(0x51000 + 8 * i, BigInt(0x100000 + i * 4096) | 3n);
  for (let i = 0; i < entries; i++) log.write(0x100000 + 8 * i, BigInt(i * 4096) | 0x7ffn);
  for (let i = 0; i < entries; i++)
    log
      .write(0x100000 + 8 * i, 0n)
      .dsb()
      .tlbi('ipas2e1is (value 0x900000)')
      .dsb();
  for (let i = 0; i < entries; i++)
    log.write(0x100000 + 8 * i, BigInt(0x4000_0000 + i * 4096) | 0x7ffn);
  const { violations } = read(log.text);
  expect(violations.reduce((n, { count }) => n + count, 0)).toBe(entries);
  expect(violations[0]?.why).toContain("lies outside the entry's range");
});
