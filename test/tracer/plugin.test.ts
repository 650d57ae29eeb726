/**
 * The plugin's own parts, compiled for this machine: what it reads out of instruction words, and
 * which pages it takes for tables. Without a C compiler they are skipped.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeLog } from '../../src/casemate/index.ts';
import { TLBI_ADDRESS, TLBI_WHOLE } from '../../src/casemate/reading/parse.ts';
import { SOURCES } from '../../src/tracer/build.ts';
import { emptyFolder } from '../cli/program.ts';

const hasCc = spawnSync('cc', ['--version']).status === 0;
const PLUGIN = path.join(SOURCES, 'plugin');

function compiled(main: string, ...parts: readonly string[]): string {
  const program = path.join(emptyFolder(), 'program');
  const files = [
    path.join(import.meta.dirname, main),
    ...parts.map((part) => path.join(PLUGIN, part)),
  ];
  const options = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-I', PLUGIN];
  const cc = spawnSync('cc', [...options, ...files, '-o', program], { encoding: 'utf8' });
  expect(cc.stderr).toBe('');
  return program;
}

const sys = (op1: number, crm: number, op2: number, crn = 8, rt = 0): number =>
  (0xd5080000 | (op1 << 16) | (crn << 12) | (crm << 8) | (op2 << 5) | rt) >>> 0;

/** Instruction words, as an assembler makes them, and what they are. */
const WORDS: readonly (readonly [word: number, seen: string, text: string])[] = [
  [0xd51c2103, 'vttbr x3', 'msr vttbr_el2, x3'],
  [0xd51c2143, 'other', 'msr vtcr_el2, x3'],
  [0xd5033b9f, 'dsb ish', 'dsb ish'],
  [0xd5033a9f, 'dsb ishst', 'dsb ishst'],
  [0xd503399f, 'other', 'dsb ishld'],
  [0xd5033f9f, 'dsb sy', 'dsb sy'],
  [0xd5033e9f, 'dsb ishst', 'dsb st'],
  [0xd503379f, 'dsb nsh', 'dsb nsh'],
  [0xd503369f, 'dsb nshst', 'dsb nshst'],
  [0xd5033a3f, 'dsb ish', 'dsb ishnxs'],
  [0xd5033bbf, 'other', 'dmb ish'],
  [0xd5033fdf, 'isb', 'isb'],
  [0xd69f03e0, 'eret', 'eret'],
  [0xd69f0bff, 'eret', 'eretaa'],
  [0xd50b7428, 'zero x8', 'dc zva, x8'],
  [0xd5032edf, 'announce', 'hint #118'],
  [0xd503201f, 'other', 'nop'],
  [0xd50c83df, 'tlbi vmalls12e1is stage2', 'tlbi vmalls12e1is'],
  [0xd50c8020, 'tlbi ipas2e1is stage2 x0', 'tlbi ipas2e1is, x0'],
  [0xd50c80a1, 'tlbi ipas2le1is stage2 x1', 'tlbi ipas2le1is, x1'],
  [0xd50c8042, 'tlbi ripas2e1is stage2 x2', 'tlbi ripas2e1is, x2'],
  [0xd50c8422, 'tlbi ipas2e1 stage2 x2', 'tlbi ipas2e1, x2'],
  [0xd508831f, 'tlbi vmalle1is el1', 'tlbi vmalle1is'],
  [0xd508871f, 'tlbi vmalle1 el1', 'tlbi vmalle1'],
  [0xd5088320, 'other', 'tlbi vae1is, x0'],
  [0xd50c839f, 'tlbi alle1is stage2', 'tlbi alle1is'],
  [0xd50c8325, 'tlbi vae2is el2 x5', 'tlbi vae2is, x5'],
  [0xd50c81df, 'tlbi vmalls12e1is stage2', 'tlbi vmalls12e1os'],
  [0xf9000001, 'other store', 'str x1, [x0]'],
  [0xa9007c1f, 'other store', 'stp xzr, xzr, [x0]'],
  [0xc89ffc01, 'other store release', 'stlr x1, [x0]'],
  [0xd9000001, 'other store release', 'stlur x1, [x0]'],
  [0xc8007c22, 'other store conditional', 'stxr w0, x2, [x1]'],
  [0xc800fc22, 'other store release conditional', 'stlxr w0, x2, [x1]'],
  [0xc8a07c41, 'other store conditional', 'cas x0, x1, [x2]'],
  [0xc8e0fc41, 'other store release conditional', 'casal x0, x1, [x2]'],
  [0xf8208041, 'other store conditional', 'swp x0, x1, [x2]'],
  [0xf8e01041, 'other store release conditional', 'ldclral x0, x1, [x2]'],
  [0x8b010000, 'other', 'add x0, x0, x1'],
];

describe.skipIf(!hasCc)('instruction words (skipped without cc)', () => {
  const decode = (words: readonly number[]): string[] => {
    const input = words.map((word) => word.toString(16)).join('\n');
    const program = compiled('decode-main.c', 'decode.c');
    return spawnSync(program, { input, encoding: 'utf8' }).stdout.trimEnd().split('\n');
  };

  it('are read as the architecture has them, and every TLBI by a name of the format', () => {
    const all: number[] = [];
    for (const crn of [8, 9])
      for (let op1 = 0; op1 < 8; op1++)
        for (let crm = 0; crm < 16; crm++)
          for (let op2 = 0; op2 < 8; op2++) all.push(sys(op1, crm, op2, crn, 7));
    const seen = decode([...WORDS.map(([word]) => word), ...all]);
    expect(seen.slice(0, WORDS.length).map((text, i) => `${WORDS[i]?.[2]}: ${text}`)).toEqual(
      WORDS.map(([, text, name]) => `${name}: ${text}`),
    );
    const tlbis = seen.slice(WORDS.length).filter((text) => text.startsWith('tlbi'));
    expect(tlbis).toHaveLength(2 * 36);
    for (const text of tlbis) {
      const [, name = '', , operand] = text.split(' ');
      expect(operand === undefined ? TLBI_WHOLE : TLBI_ADDRESS).toContain(name);
    }
    const names = new Set(tlbis.map((text) => text.split(' ')[1]));
    expect(names).toEqual(new Set([...TLBI_WHOLE, ...TLBI_ADDRESS]));
  });
});

/** 4K granule, 40 bits: the walk starts at level 1, in two tables. */
const VTCR = (1n << 31n) | (2n << 16n) | (1n << 6n) | 24n;
const ROOT = 0x40010000n;
const VTTBR = (5n << 48n) | ROOT | 1n;
const LOW = 0x40020000n;
const LEAF = 0x40030000n;
const BLOCK = 0x7fdn;

describe.skipIf(!hasCc)('tables (skipped without cc)', () => {
  let program: string | null = null;
  const play = (...lines: readonly (readonly [what: string, a: bigint, b?: bigint])[]): string => {
    const folder = emptyFolder();
    program ??= compiled('tables-main.c', 'tables.c', 'log.c', 'symbols.c');
    const log = path.join(folder, 'x.log');
    const input = lines.map(([what, a, b = 0n]) => `${what} ${a.toString(16)} ${b.toString(16)}\n`);
    const run = spawnSync(program, [path.join(folder, 'ram'), log], { input: input.join('') });
    expect(run.status).toBe(0);
    return readFileSync(log, 'utf8');
  };
  const planted = [
    ['poke', LOW, 0x40000000n | BLOCK],
    ['root', VTTBR, VTCR],
    ['store', ROOT, LOW | 3n],
  ] as const;

  it('are what a walker comes to; what they held is in the log before they are linked', () => {
    const log = play(...planted, ['state', LOW], ['state', LEAF], ['state', ROOT + 0x1000n]);
    expect(log.split('\n')).toEqual([
      ...[
        '(mem-init (id 1)',
        '(mem-init (id 2)',
        '(sysreg-write (id 3)',
        '(sysreg-write (id 4)',
      ].map((text) => expect.stringContaining(text) as string),
      expect.stringMatching(
        /^\(mem-init \(id 5\) \(tid 0\) \(address 0x40020000\) \(size 0x1000\) /,
      ),
      expect.stringMatching(/^\(mem-write \(id 6\) .*\(address 0x40020000\) \(value 0x400007fd\)/),
      '(mem-write (id 7) (tid 0) (mem-order plain) (address 0x40010000) (value 0x40020003) ' +
        '(src "some_function+0x10") (task 0xffff000000000001))',
      ...['! live', '! other', '! live', ''],
    ]);
    expect(judgeLog(log, 0)).toMatchObject({ verdict: 'clean', violations: [] });
  });

  it('are told to be free when somebody else stores to them after they were unlinked', () => {
    const log = play(
      ...planted,
      ['store', LOW, LEAF | 3n],
      ['store', ROOT, 0n],
      ['state', LEAF],
      ['store', LEAF, 0x1234n],
      ['state', LEAF],
    );
    expect(log).toMatch(/! detached\n\(mem-free .*\(address 0x40030000\).*\n! other\n/);
    // Nothing was flushed: what the log says is enough to see it.
    expect(judgeLog(log, 0).violations.map(({ rule }) => rule)).toContain('freed-table');
  });

  it('are told by memory where an instruction may have failed', () => {
    const log = play(
      ...planted,
      ['reread', LOW],
      ['poke', LOW + 8n, 0x40200000n | BLOCK],
      ['reread', LOW + 8n],
    );
    expect(log.match(/mem-order release/g)).toHaveLength(1);
    expect(log).toMatch(/mem-order release\) \(address 0x40020008\) \(value 0x402007fd\)/);
  });

  it('are forgotten, with all below, when their tree is destroyed', () => {
    const log = play(...planted, ['release', ROOT], ['state', ROOT], ['state', LOW]);
    expect(log).toMatch(/\(kind release_table\) \(location 0x40010000\).*\n! other\n! other\n$/);
  });
});
