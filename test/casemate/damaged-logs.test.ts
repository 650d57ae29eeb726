/**
 * Thirty ways in which a log of a real kernel can be damaged: each is told by line and with one
 * sentence, none is clean, and what can be judged of it is.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { traceFile, judgeFile } from '../../src/cli/commands/check-trace/trace-file.ts';
import { LogReading } from '../../src/casemate/index.ts';
import type { TraceRun } from '../../src/result/check-trace.ts';
import { emptyFolder } from '../cli/program.ts';

const PACKED = readFileSync(path.join(import.meta.dirname, 'logs/linux-6.1.trace.gz'));
const TEXT = gunzipSync(PACKED).toString();
const LINES = TEXT.trimEnd().split('\n');
/** Of an event in the middle, from 0. */
const AT = LINES.findIndex((line, i) => i > 150 && line.startsWith('(mem-write'));
const TLBI = LINES.findIndex((line, i) => i > 150 && line.includes(' ipas2e1is '));
const DSB = LINES.findIndex(
  (line, i) => i > 150 && line.startsWith('(barrier') && line.includes('dsb'),
);

/** One line is another. */
const changed = (at: number, change: (line: string) => string): string =>
  LINES.with(at, change(LINES[at] ?? '')).join('\n') + '\n';
const replaced = (at: number, from: string | RegExp, to: string): string =>
  changed(at, (line) => {
    expect(line).toMatch(from);
    return line.replace(from, to);
  });
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
/** In the middle of a packed file. */
const HALF = PACKED.length >> 1;

type Damage = readonly [what: string, file: string | Buffer, line: number | null, why: string];

const IN_LINE: readonly Damage[] = [
  ['cut in the middle of its last event', TEXT.slice(0, -30), LINES.length - 1, 'it was cut'],
  [
    'cut in the middle of any',
    TEXT.slice(0, TEXT.indexOf(LINES[AT] ?? '') + 40),
    AT + 1,
    'it was cut',
  ],
  ['a line cut short', replaced(AT, / \(value.*$/, ''), AT + 2, 'expected'],
  ['without a bracket at its end', replaced(AT, /\)$/, ''), AT + 2, 'expected'],
  ['a bracket too many', replaced(AT, /$/, ')'), AT + 1, 'expected "(" at the start of a record'],
  [
    'an event of another kind',
    replaced(AT, 'mem-write', 'mem-store'),
    AT + 1,
    'expected a kind of event',
  ],
  ['an unknown register', replaced(3, 'vtcr_el2', 'vtcr_el3'), 4, 'expected a system register'],
  [
    'an unknown TLBI',
    replaced(TLBI, 'ipas2e1is', 'ipas9e1is'),
    TLBI + 1,
    'expected a TLBI operation',
  ],
  ['a TLBI without its operand', replaced(TLBI, / \(value 0x\w+\)/, ''), TLBI + 1, 'expected'],
  ['an unknown barrier', replaced(DSB, 'dsb', 'dmb'), DSB + 1, 'expected a barrier (dsb, isb)'],
  [
    'a DSB of an unknown kind',
    replaced(DSB, /kind \w+/, 'kind osh'),
    DSB + 1,
    'expected a kind of DSB',
  ],
  [
    'an unknown memory order',
    replaced(AT, /order \w+/, 'order relaxed'),
    AT + 1,
    'expected a memory order',
  ],
  [
    'an address that is none',
    replaced(AT, /address 0x\w+/, 'address 0xzz'),
    AT + 1,
    'a hexadecimal number',
  ],
  [
    'an address of too many bits',
    replaced(AT, /address 0x/, 'address 0xffffffff'),
    AT + 1,
    'expected address below',
  ],
  [
    'an address inside a word',
    replaced(AT, /(address 0x\w+)\w\)/, '$11)'),
    AT + 1,
    'a multiple of 8',
  ],
  [
    'a value of 65 bits',
    replaced(AT, /value 0x\w+/, 'value 0x1ffffffffffffffff'),
    AT + 1,
    '64 bits for value',
  ],
  ['an id that is no number', replaced(AT, /id \d+/, 'id x'), AT + 1, 'a decimal number for id'],
  ['no thread', replaced(AT, / \(tid \d+\)/, ''), AT + 1, 'expected the field tid'],
  [
    'fields in another order',
    replaced(AT, /(\(id \d+\)) (\(tid \d+\))/, '$2 $1'),
    AT + 1,
    'the field id',
  ],
  ['another version’s header', `(version 4.0)\n${TEXT}`, 1, 'expected a kind of event'],
  [
    'lines of a console in it',
    replaced(AT, /^/, '[ 17.2] random: crng init done\n'),
    AT + 1,
    'expected "("',
  ],
  [
    'bytes that are no text',
    bytes(replaced(AT, 'mem-write', '\u00ff\u00fe\0')),
    AT + 1,
    'bytes that are no text',
  ],
  [
    'a line without an end',
    replaced(AT, / \(src/, ` ${'x'.repeat(70_000)} (src`),
    AT + 1,
    'longer than 65536',
  ],
];

const AS_A_WHOLE: readonly Damage[] = [
  [
    'shuffled',
    LINES.map((_, i) => LINES[(i * 523) % LINES.length]).join('\n'),
    null,
    'out of order',
  ],
  [
    'every third line, and then the others',
    LINES.map((_, i) => LINES[(i * 3) % LINES.length]).join('\n'),
    null,
    'out of order',
  ],
  ['back to front', LINES.toReversed().join('\n'), null, 'out of order'],
  ['a program', bytes('\x7fELF\x02\x01\x01\0\0\0\0\0'), 1, 'bytes that are no text'],
  ['packed and cut', PACKED.subarray(0, HALF), null, 'could not be read further'],
  [
    'packed and changed in the middle',
    Buffer.concat([PACKED.subarray(0, HALF), Buffer.alloc(64, 0x55), PACKED.subarray(HALF + 64)]),
    null,
    '',
  ],
  ['packed by another program', zstdCompressSync(TEXT), 1, 'got a file of zstd: unpack it first'],
];

const QUIET = { update: () => {}, clear: () => {} };
const judged = async (folder: string, name: string, file: string | Buffer): Promise<TraceRun> => {
  const place = path.join(folder, name);
  writeFileSync(place, file);
  const run = await judgeFile(traceFile(place), 0, new AbortController().signal, QUIET);
  return { ...run, file: name };
};

describe('a log of Linux 6.1 that this project’s tracer made', () => {
  it('is clean, with the transitions of one dirty logging on and off', () => {
    const reading = new LogReading('x', 0);
    expect(reading.push(TEXT) && reading.end()).toBe(true);
    const run = reading.run(false);
    expect(run).toMatchObject({ verdict: 'clean', violations: [], events: 1206, threads: 1 });
    expect(run.transitions).toMatchObject({ coalesce: 4, split: 7, map: 61, permission: 42 });
    expect(run.sequences.map(({ kind }) => kind)).toContain('coalesce');
  });

  it('there are thirty damages', () => {
    expect([...IN_LINE, ...AS_A_WHOLE]).toHaveLength(30);
  });
});

it.each(IN_LINE)(
  '%s: told with its line, and what is before it is judged',
  async (_, file, line, why) => {
    const run = await judged(emptyFolder(), 'x.log', file);
    expect(run.damage?.why).toContain(why);
    expect(run.damage?.why).not.toContain('\n');
    expect(run.damage?.line).toBe(line);
    expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
    expect(run.notJudged[0]).toContain(`line ${line}: `);
  },
);

it.each(AS_A_WHOLE)('%s: told in one sentence', async (_, file, line, why) => {
  const run = await judged(emptyFolder(), 'x.log', file);
  expect(run.damage?.why).toContain(why);
  expect(run.damage?.why).toMatch(/^[^\n]+$/);
  expect(run.damage?.line).toBe(line ?? run.damage?.line);
  expect(run).toMatchObject({ verdict: 'not-judged', violations: [] });
});

it('a packed log is judged as the same log unpacked', async () => {
  const folder = emptyFolder();
  const plain = await judged(folder, 'same', TEXT);
  const packed = await judged(folder, 'same', gzipSync(TEXT));
  expect(packed).toEqual(plain);
});

it('what stands before bytes that follow a packed log is judged', async () => {
  const count = LINES.length;
  for (const packed of [gzipSync(TEXT), PACKED]) {
    const file = Buffer.concat([packed, bytes('garbage\n')]);
    const run = await judged(emptyFolder(), 'x.log.gz', file);
    expect(run).toMatchObject({ events: 1206, verdict: 'not-judged', violations: [] });
    expect(run.damage).toEqual({
      line: count,
      why: 'the packed text ends here, and bytes that are none of it follow',
    });
  }
});

describe('a pipe', () => {
  /** What a shell makes of `<(…)`: it can be read once, and has no size. */
  const piped = async (file: string | Buffer): Promise<TraceRun> => {
    const folder = emptyFolder();
    const [from, pipe] = [path.join(folder, 'from'), path.join(folder, 'pipe')];
    writeFileSync(from, file);
    execFileSync('mkfifo', [pipe]);
    const found = traceFile(pipe);
    expect(found.bytes).toBeNull();
    const cat = spawn('sh', ['-c', 'exec cat "$0" > "$1"', from, pipe]);
    const run = await judgeFile(found, 0, new AbortController().signal, QUIET);
    cat.kill();
    return { ...run, file: 'same' };
  };

  it('is judged as the file that goes through it, packed or not', async () => {
    const plain = await judged(emptyFolder(), 'same', TEXT);
    expect(await piped(TEXT)).toEqual(plain);
    expect(await piped(gzipSync(TEXT))).toEqual(plain);
    const short = await judged(emptyFolder(), 'same', '(m');
    expect(await piped('(m')).toEqual(short);
  });
});
