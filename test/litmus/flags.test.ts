/** herd's flag BBM-expected, and the architectures that a test's Variant= line asks for. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { litmusFiles } from '../../src/litmus/files.ts';
import { formatRun, printable, runLitmus, summarize } from '../../src/litmus/index.ts';
import type { LitmusRunResult } from '../../src/result/litmus.ts';
import { outcomeOf } from './states.ts';

const change = (old: string, wanted: string, code: readonly string[], y = 2): string =>
  [
    'AArch64 T',
    `{ [x]=1; [y]=${y}; [PTE(x)]=(oa:PA(x)${old}); 0:X2=(valid:0); 0:X6=(oa:PA(x)${old}, af:0); `,
    `0:X4=(${wanted}); 0:X5=PTE(x); 0:X3=x; 1:X1=x; }`,
    'P0 | P1 ;',
    ...code.map((row, i) => `${row} | ${i === 0 ? 'LDR W0,[X1]' : ''} ;`),
    'exists (1:X0=2)',
  ].join('\n');

const DIRECT = ['STR X4,[X5]'];
const FLUSH = ['DSB ISH', 'LSR X9,X3,#12', 'TLBI VAAE1IS,X9', 'DSB ISH'];
const PROPER = ['STR X2,[X5]', ...FLUSH, 'STR X4,[X5]'];

describe('the flag BBM-expected', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'an output address where one is writable',
      change('', 'oa:PA(y)', DIRECT, 1),
      ['BBM-expected'],
    ],
    ['one where contents differ', change(', db:0', 'oa:PA(y), db:0', DIRECT), ['BBM-expected']],
    ['one where neither is so', change(', db:0', 'oa:PA(y), db:0', DIRECT, 1), []],
    ['a memory type', change(', attrs:(Device-GRE)', 'oa:PA(x)', DIRECT), ['BBM-expected']],
    ['cacheability', change(', attrs:(Normal,iNC,oNC)', 'oa:PA(x)', DIRECT), ['BBM-expected']],
    ['a permission', change('', 'oa:PA(x), db:0', DIRECT), []],
    ['an entry with a clear access flag', change(', af:0', 'oa:PA(y)', DIRECT), []],
    ['one that is broken and flushed before', change('', 'oa:PA(y)', PROPER), []],
    [
      'one that is broken by its access flag',
      change('', 'oa:PA(y)', ['STR X6,[X5]', ...FLUSH, 'STR X4,[X5]']),
      [],
    ],
    [
      'one that is broken and never flushed',
      change('', 'oa:PA(y)', ['STR X2,[X5]', 'DSB ISH', 'STR X4,[X5]']),
      ['BBM-expected'],
    ],
    [
      'one whose flush need not be over',
      change('', 'oa:PA(y)', PROPER.slice(0, 4).concat('STR X4,[X5]')),
      ['BBM-expected'],
    ],
    [
      'one that is flushed for another page',
      change('', 'oa:PA(y)', PROPER).replace('0:X3=x', '0:X3=y'),
      ['BBM-expected'],
    ],
  ])('changes %s', (_, source, flags) => {
    expect(outcomeOf(source, 'base').flags).toEqual(flags);
  });
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'litmus-flags-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const put = async (name: string, text: string): Promise<string> => {
  await writeFile(path.join(folder, name), text);
  return path.join(folder, name);
};

/** A store that faults for want of permission before the flag it follows: FEAT_ETS3 alone forbids it. */
const PERMISSION = (variant: string): string =>
  [
    'AArch64 permission',
    variant,
    '{ [PTE(x)]=(oa:PA(x), db:0); 0:X0=PTE(x); 0:X1=(oa:PA(x)); 0:X3=y; 0:X4=x; 1:X3=y; 1:X4=x; }',
    'P0              | P1               ;',
    'STR X1,[X0]     | LDR W2,[X3]      ;',
    'DSB ISH         | MOV W5,#1        ;',
    'LSR X5,X4,#12   | L00: STR W5,[X4] ;',
    'TLBI VAAE1IS,X5 |                  ;',
    'DSB ISH         |                  ;',
    'MOV W2,#1       |                  ;',
    'STR W2,[X3]     |                  ;',
    'exists (1:X2=1 /\\ fault(P1:L00,x))',
  ].join('\n');

const brief = ({ arch, testArch, verdict }: LitmusRunResult): string =>
  [arch, testArch ?? '-', verdict].join(' ');

describe('the architecture', () => {
  it('is the stronger of what was asked and what the test asks for', async () => {
    const plain = await put('plain.litmus', PERMISSION(''));
    const asking = await put('asking.litmus', PERMISSION('Variant=vmsa,ets3'));
    const two = await put('two.litmus', PERMISSION('Variant=vmsa,ets2'));
    const arch = ['base', 'ets2', 'ets3'] as const;
    expect((await runLitmus([plain], { arch })).map(brief)).toEqual([
      'base - allowed',
      'ets2 - allowed',
      'ets3 - forbidden',
    ]);
    expect((await runLitmus([asking], { arch })).map(brief)).toEqual([
      'base ets3 forbidden',
      'ets2 ets3 forbidden',
      'ets3 - forbidden',
    ]);
    expect((await runLitmus([two], { arch })).map(brief)).toEqual([
      'base ets2 allowed',
      'ets2 - allowed',
      'ets3 - forbidden',
    ]);
  });
});

const NOTHING = (code: string, tail: string): string =>
  `AArch64 T\nVariant=handled\n{ pte_x=(valid:0); 0:X1=x; }\nP0 ;\n${code} ;\n${tail}`;

describe('results', () => {
  it('say so where no execution is behind a verdict', async () => {
    const file = await put('a.litmus', NOTHING('LDR W0,[X1]', 'exists (0:X0=1)'));
    const [run] = await runLitmus([file], { arch: ['base'] });
    expect(run).toMatchObject({ verdict: 'forbidden', executions: 0 });
    expect(run?.reason).toBe(
      'no execution reaches an end: there is nothing the condition could fail in',
    );
  });

  it('do not wait for a pipe that nobody writes to', async () => {
    await put('a.litmus', NOTHING('NOP', 'forall (true)'));
    execFileSync('mkfifo', [path.join(folder, 'b.litmus')]);
    // To read it would never end, so it must not be among them.
    expect(await litmusFiles([folder])).toEqual([path.join(folder, 'a.litmus')]);
  });

  it('are not lost to a link that leads nowhere or back', async () => {
    await put('a.litmus', NOTHING('NOP', 'forall (true)'));
    await symlink(path.join(folder, 'nowhere'), path.join(folder, 'b.litmus'));
    await symlink(folder, path.join(folder, 'loop'));
    const runs = await runLitmus([folder], { arch: ['base'] });
    expect(runs.map(({ file, verdict }) => [path.basename(file), verdict])).toEqual([
      ['a.litmus', 'required'],
      ['b.litmus', 'unsupported'],
    ]);
    expect(runs[1]?.reason).toContain('the link leads nowhere');
    expect(summarize(runs).exitCode).toBe(3);
  });

  it('need no condition, and heed the time in long code', async () => {
    const whole = await put('a.litmus', 'AArch64 T\n{ }\nP0 ;\nNOP ;\n');
    expect((await runLitmus([whole], { arch: ['base'] }))[0]).toMatchObject({
      verdict: 'required',
    });
    const long = await put(
      'b.litmus',
      `AArch64 T\n{ }\nP0 ;\n${'NOP ;\n'.repeat(3000)}forall (true)`,
    );
    expect((await runLitmus([long], { arch: ['base'] }))[0]).toMatchObject({ verdict: 'required' });
    const [late] = await runLitmus([long], { arch: ['base'], bounds: { timeMs: 0 } });
    expect(late).toMatchObject({ verdict: 'unsupported', bound: 'timeMs' });
  });

  it('show no control characters', async () => {
    const file = await put('a.litmus', 'AArch64 \u001b[31mT\n{ }\nP0 ;\nNOP ;\nforall (true)');
    const [run] = await runLitmus([file], { arch: ['base'] });
    expect(printable(formatRun(run as LitmusRunResult))).toContain('Test \\x1b[31mT Required');
    expect(printable('a\u0007\u009b\u202eb\n')).toBe('a\\x07\\x9b\\u202eb\n');
  });
});
