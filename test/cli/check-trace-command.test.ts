import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CheckTraceResult } from '../../src/result/check-trace.ts';
import { readResult } from '../../src/result/read.ts';
import { emptyFolder, program, typed } from './program.ts';

const log = (name: string): string =>
  path.resolve(import.meta.dirname, `../casemate/logs/${name}.trace`);

describe('check-trace', () => {
  it('passes a correct change', () => {
    const seen = program(['check-trace', log('good-break-before-make')]);
    expect(seen.out).toContain('events, 1 table entry judged, 0 violations');
    expect([seen.code, seen.err]).toEqual([0, '']);
  });

  it.each([
    ['bad-missing-tlbi', 'valid stored over an invalid entry that was not clean'],
    ['bad-page-to-page-accessed', 'valid to valid without break (output address, BBM level 0)'],
  ])('fails %s with one report that has line, reason, entry and source', async (name, why) => {
    const text = readFileSync(log(name), 'utf8').trimEnd();
    const seen = await typed(['check-trace', log(name)]);
    const [place, reason, entry, source] = seen.out.split('\n');
    expect(place).toBe(`${log(name)}:${text.split('\n').length}: break-before-make`);
    expect(reason).toContain(why);
    expect(entry).toMatch(/^ {2}entry +entry at 0x1[23]000, level [23], IPA 0x0 to /);
    expect(source).toMatch(/^ {2}source +mem\.c:1\d\d$/);
    expect(seen.out.match(/break-before-make$/gm)).toHaveLength(1);
    expect(seen.code).toBe(1);
  });

  it('judges by the level of FEAT_BBM that it is given', async () => {
    const folder = emptyFolder();
    const lines = readFileSync(log('bad-missing-tlbi'), 'utf8').split('\n');
    // Without the break: a table directly replaced by a block.
    const direct = lines.filter((line) => !/\(value 0x0\)|barrier/.test(line));
    writeFileSync(path.join(folder, 'direct.log'), direct.join('\n'));
    expect((await typed(['check-trace', 'direct.log'], folder)).code).toBe(1);
    expect((await typed(['check-trace', 'direct.log', '--bbm', '2'], folder)).code).toBe(0);
  });

  it('writes a result that report reads', async () => {
    const folder = emptyFolder();
    await typed(
      ['check-trace', log('bad-missing-tlbi'), log('good-break-before-make'), '--json', 'x.json'],
      folder,
    );
    const result = readResult(
      readFileSync(path.join(folder, 'x.json'), 'utf8'),
    ) as CheckTraceResult;
    expect(result.runs.map(({ verdict }) => verdict)).toEqual(['violated', 'clean']);
    expect(result).toMatchObject({ command: 'check-trace', verdict: 'fail', exitCode: 1 });
    expect((await typed(['report', 'x.json', '--markdown', 's.md'], folder)).code).toBe(0);
    expect(readFileSync(path.join(folder, 's.md'), 'utf8')).toContain(
      'bad-missing-tlbi.trace:14: break-before-make',
    );
  });

  it('is inconclusive about a log without a stage-2 tree', async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'none.log'), '(lock (id 0) (tid 0) (address 1))\n');
    const seen = await typed(['check-trace', 'none.log'], folder);
    expect(seen.out).toContain('reason: none.log: no tree was judged: no entry of a stage-2 tree');
    expect(seen.code).toBe(3);
  });

  it('tells a damaged log by file and line, and judges the others', async () => {
    const folder = emptyFolder();
    const text = readFileSync(log('good-break-before-make'), 'utf8');
    writeFileSync(path.join(folder, 'cut.log'), text.slice(0, -30));
    writeFileSync(path.join(folder, 'cut.log.gz'), gzipSync(text).subarray(0, -20));
    const names = ['cut.log', log('malformed'), 'cut.log.gz', log('good-break-before-make')];
    const seen = await typed(['check-trace', ...names, '--json', 'x.json'], folder);
    expect(seen.err.split('\n')).toEqual([
      expect.stringMatching(/check-trace: cut\.log:\d+: the log ends in the middle of an event/),
      expect.stringContaining('malformed.trace:11: expected a barrier (dsb, isb), got "dmb"'),
      expect.stringMatching(/check-trace: cut\.log\.gz:\d+: the file could not be read further/),
      '',
    ]);
    expect(seen.code).toBe(2);
    const { runs } = JSON.parse(
      readFileSync(path.join(folder, 'x.json'), 'utf8'),
    ) as CheckTraceResult;
    expect(runs.map(({ verdict }) => verdict)).toEqual([
      ...['not-judged', 'not-judged', 'not-judged', 'clean'],
    ]);
    // A violation outranks damage.
    const worse = await typed(['check-trace', 'cut.log', log('bad-missing-tlbi')], folder);
    expect(worse.code).toBe(1);
  });

  it('reads compressed logs, compares, and writes sequences', async () => {
    const folder = emptyFolder();
    const text = readFileSync(log('good-break-before-make'), 'utf8');
    writeFileSync(path.join(folder, 'a.log.gz'), gzipSync(text));
    writeFileSync(path.join(folder, 'b.log'), text);
    const args = ['check-trace', 'a.log.gz', 'b.log', '--compare', '--sequences', 'steps'];
    const seen = await typed(args, folder);
    expect([seen.code, seen.err]).toEqual([0, '']);
    expect(seen.out).toMatch(/^compared +a\.log\.gz +b\.log$/m);
    expect(seen.out).toMatch(/^verdict +clean +clean$/m);
    expect(seen.out).toMatch(/^1 : 1 times {2}coalesce at level 2: str 0; /m);
    expect(seen.out).toMatch(/\nwrote steps\/a-coalesce-1\.seq\nwrote steps\/b-coalesce-1\.seq\n$/);
    const quiet = await typed([...args.slice(0, 3), '--sequences', 'more', '--quiet'], folder);
    expect(quiet.out.match(/^wrote .*$/gm)).toEqual([
      'wrote more/a-coalesce-1.seq',
      'wrote more/b-coalesce-1.seq',
    ]);
    const steps = readFileSync(path.join(folder, 'steps/a-coalesce-1.seq'), 'utf8').split('\n');
    expect(steps[0]).toBe('# coalesce of an entry of level 2, used once in a.log.gz');
    expect(steps.slice(-3)).toEqual([expect.stringMatching(/^#/) as string, 'free child', '']);
    expect(steps).toContain('str 0');
    const flags = ['--protocol', './steps/a-coalesce-1.seq', '--cpu', 'bbm=1'];
    const explored = await typed(['explore', ...flags], folder);
    expect([explored.code, explored.err]).toEqual([0, '']);
    expect(explored.out).toMatch(/^a-coalesce-1 +safe /m);
  });

  it.each([
    [['check-trace'], 'check-trace needs <log>…'],
    [
      ['check-trace', 'none.log'],
      'check-trace: none.log: cannot be read (ENOENT); name a log of casemate',
    ],
    [
      ['check-trace', log('malformed'), '--bbm', '4'],
      '--bbm: "4" is not a whole number from 0 to 3',
    ],
    [['check-trace', log('malformed'), '--compare'], '--compare needs two logs or more'],
  ])('%j is refused with one line', async (args, answer) => {
    const seen = await typed(args);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect(seen.err).toContain(answer);
    expect([seen.code, seen.out, seen.files]).toEqual([2, '', []]);
  });
});
