import { describe, expect, it } from 'vitest';
import type { Flag } from '../../src/cli/flags/flag.ts';
import { command as list } from '../../src/cli/commands/list.ts';
import { STRESS_FLAGS } from '../../src/cli/commands/stress/flags.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { asksForHelp, parseCommandLine } from '../../src/cli/parse.ts';
import { memoryTerminal } from './memory-terminal.ts';

const TABLE: Readonly<Record<string, Flag<unknown>>> = STRESS_FLAGS;
const NAMES = Object.keys(TABLE);

const flagsOf = (...args: string[]): object => parseCommandLine('stress', STRESS_FLAGS, args).flags;

interface Cases {
  /** What may follow the flag, and what becomes of it. */
  readonly good: readonly (readonly [text: string, value: unknown])[];
  /** What may not, and a piece of the answer that says what would be right. */
  readonly bad: readonly (readonly [text: string, answer: string])[];
}

/** Every flag that takes a value. A flag missing here fails the first test below. */
const VALUES: Readonly<Record<string, Cases>> = {
  kernel: { good: [['../linux', '../linux']], bad: [] },
  'kernel-tlb': { good: [['nvhe', 'nvhe']], bad: [['hvhe', 'not one of vhe|nvhe']] },
  faults: { good: [['map-hole', 'map-hole']], bad: [] },
  'kernel-caps': {
    good: [
      ['fwb,ttl', ['fwb', 'ttl']],
      ['none', []],
    ],
    bad: [['fbw', 'there is no capability "fbw" (did you mean fwb?)']],
  },
  sequence: {
    good: [['str 0; dsb ishst', 'str 0; dsb ishst']],
    bad: [['strr 0', 'column 1']],
  },
  protocol: {
    good: [
      ['bbm-late', ['bbm-late']],
      ['a,./b.ts', ['a', './b.ts']],
      ['all', ['all']],
    ],
    bad: [
      ['a,,b', 'has an empty item'],
      ['a,a', '"a" is there twice'],
    ],
  },
  scenario: {
    good: [['a,b', ['a', 'b']]],
    bad: [
      ['a,', 'has an empty item'],
      ['a, b', 'has a blank'],
    ],
  },
  mutant: { good: [['a,b', ['a', 'b']]], bad: [[',', 'has an empty item']] },
  against: { good: [['./other.ts', './other.ts']], bad: [] },
  cpu: {
    good: [
      ['bbm=0', { bbm: [0] }],
      ['bbm=2/1,nt=fault', { bbm: [2, 1], nt: 'fault' }],
      ['multihit=new,spec=on,hafdbs=off', { multihit: 'new', spec: true, hafdbs: false }],
      ['ets=none,tlb=0,walkcache=off', { ets: 'none', tlb: 0, walkcache: false }],
      ['tlb=4096', { tlb: 4096 }],
      ['tlb=1', { tlb: 1 }],
    ],
    bad: [
      ['bbm', '"bbm" is not key=value, such as bbm=1'],
      ['bbm=', 'is not key=value'],
      ['=1', 'is not key=value'],
      ['bbm=4', 'not a BBM level from 0 to 3'],
      ['bbm=1/', 'not a BBM level from 0 to 3'],
      ['nt=maybe', 'not one of translate|conflict|fault|ignored'],
      ['multihit=both', 'not one of abort|old|new|amalgamate'],
      ['spec=yes', 'not one of off|on'],
      ['ets=ets3', 'not one of none|ets2'],
      ['tlb=3', 'not 0 or a power of two up to 4096'],
      ['tlb=8192', 'not 0 or a power of two up to 4096'],
      ['tlb=-1', 'not 0 or a power of two up to 4096'],
      ['tbl=4', 'there is no CPU knob "tbl" (did you mean tlb?)'],
      ['bbm=1,bbm=2', 'bbm is there twice'],
      ['bbm=1,', 'has an empty item'],
    ],
  },
  granule: {
    good: ['4k', '16k', '64k', 'tiny', 'tiny4'].map((g) => [g, g] as const),
    bad: [
      ['4K', 'not one of 4k|16k|64k|tiny'],
      ['4096', 'not one of'],
    ],
  },
  level: {
    good: [
      ['1', [1]],
      ['1,2', [1, 2]],
    ],
    bad: [
      ['0', 'from 1 to 2'],
      ['3', 'from 1 to 2'],
      ['2,2', '"2" is there twice'],
    ],
  },
  vcpus: {
    good: [
      ['1', [1]],
      ['1,2,64', [1, 2, 64]],
    ],
    bad: [
      ['0', '"0" is not a whole number from 1 to 64'],
      ['65', 'from 1 to 64'],
      ['two', 'from 1 to 64'],
      ['1.5', 'from 1 to 64'],
    ],
  },
  repeats: {
    good: [['4', 4]],
    bad: [
      ['0', 'from 1 to'],
      ['101', 'to 100'],
    ],
  },
  rounds: {
    good: [['1000', 1000]],
    bad: [
      ['0', 'from 1 to'],
      ['1e3', 'from 1 to'],
      ['-5', 'from 1 to'],
    ],
  },
  transitions: { good: [['1', 1]], bad: [['0', 'from 1 to']] },
  time: {
    good: [
      ['500ms', 500],
      ['60s', 60_000],
      ['1.5m', 90_000],
      ['2h', 7_200_000],
    ],
    bad: [
      ['60', 'not a time such as 500ms, 60s, 10m or 2h'],
      ['60 s', 'not a time'],
      ['-1s', 'not a time'],
      ['0s', 'not within 100ms'],
      ['1d', 'not a time'],
      ['9999h', 'and 168h'],
    ],
  },
  seed: {
    good: [
      ['0', 0],
      ['4294967295', 4_294_967_295],
    ],
    bad: [
      ['4294967296', 'from 0 to 4294967295'],
      ['-1', 'from 0 to 4294967295'],
      ['0x10', 'from 0 to 4294967295'],
    ],
  },
  stores: {
    good: [
      ['0', 0],
      ['100', 100],
    ],
    bad: [
      ['101', 'from 0 to 100'],
      ['50%', 'from 0 to 100'],
    ],
  },
  pattern: {
    good: [['sweep', 'sweep']],
    bad: [['random', 'not one of uniform|sweep|stride|hot|zipf']],
  },
  blocks: { good: [['8', 8]], bad: [['0', 'from 1 to 1024']] },
  delay: {
    good: [
      ['tlbi=2000', [{ site: 'tlbi', ns: 2000 }]],
      [
        'any=1,dsb=5',
        [
          { site: 'any', ns: 1 },
          { site: 'dsb', ns: 5 },
        ],
      ],
    ],
    bad: [
      ['tlbi', 'not key=value, such as tlbi=2000'],
      ['tlb=5', 'there is no delay site "tlb" (did you mean tlbi?)'],
      ['tlbi=0', 'from 1 to'],
      ['tlbi=1us', 'from 1 to'],
    ],
  },
  access: { good: [['atomics', 'atomics']], bad: [['fast', 'not one of wasm|atomics|plain']] },
  pin: {
    good: [
      ['auto', { mode: 'auto' }],
      ['off', { mode: 'off' }],
      ['list:1,0', { mode: 'list', cpus: [1, 0] }],
    ],
    bad: [
      ['0,1', 'not auto, off or a list such as list:0,1'],
      ['list:', 'has an empty item'],
      ['list:0,0', '"0" is there twice'],
      ['list:x', 'is not a whole number'],
    ],
  },
  json: { good: [['out.json', 'out.json']], bad: [] },
  out: { good: [['reports', 'reports']], bad: [] },
  resume: { good: [['run.json', 'run.json']], bad: [] },
  shard: {
    good: [
      ['2/4', { index: 2, count: 4 }],
      ['auto', 'auto'],
    ],
    bad: [
      ['0/4', 'shards are counted from 1'],
      ['5/4', 'shards are counted from 1'],
      ['2', 'i/n'],
    ],
  },
};

describe('each flag of stress', () => {
  const withValue = NAMES.filter((id) => TABLE[id]?.value !== null);

  it('has cases here', () => {
    expect(Object.keys(VALUES).sort()).toEqual([...withValue].sort());
  });

  for (const id of withValue) {
    const { good, bad } = VALUES[id] as Cases;
    it(`--${id} takes what is right, after a blank or "="`, () => {
      for (const [text, value] of good) {
        expect(flagsOf(`--${id}`, text)).toEqual({ [id]: value });
        expect(flagsOf(`--${id}=${text}`)).toEqual({ [id]: value });
      }
    });

    it(`--${id} says what would be right`, () => {
      for (const [text, answer] of bad) {
        expect(() => flagsOf(`--${id}=${text}`)).toThrow(answer);
        expect(() => flagsOf(`--${id}=${text}`)).toThrow(`--${id}: `);
      }
    });

    it(`--${id} needs its value`, () => {
      const answer = `--${id} needs a value: --${id} ${TABLE[id]?.value}`;
      expect(() => flagsOf(`--${id}`)).toThrow(answer);
      expect(() => flagsOf(`--${id}`, '--quiet')).toThrow(answer);
      expect(() => flagsOf(`--${id}=`)).toThrow(answer);
    });

    if (TABLE[id]?.repeatable) continue;

    it(`--${id} twice is refused`, () => {
      const text = (good[0] as readonly [string, unknown])[0];
      const twice = (): object => flagsOf(`--${id}`, text, `--${id}`, text);
      expect(twice).toThrow(`--${id} is there twice`);
    });
  }
});

describe('a repeatable flag', () => {
  it('adds up', () => {
    expect(flagsOf('--delay', 'tlbi=1', '--delay', 'dsb=2,isb=3')).toEqual({
      delay: [
        { site: 'tlbi', ns: 1 },
        { site: 'dsb', ns: 2 },
        { site: 'isb', ns: 3 },
      ],
    });
  });
});

describe('switches', () => {
  const switches = NAMES.filter((id) => TABLE[id]?.value === null);

  it('are true when given and absent when not', () => {
    expect(switches).toEqual(expect.arrayContaining(['reorder', 'quiet', 'no-color']));
    for (const id of switches) {
      expect(flagsOf(`--${id}`)).toEqual({ [id]: true });
    }
    expect(flagsOf()).toEqual({});
  });

  it('take no value and stand once', () => {
    expect(() => flagsOf('--quiet=yes')).toThrow('--quiet takes no value, but "yes" was given');
    expect(() => flagsOf('--quiet', '--quiet')).toThrow('--quiet is there twice: once is enough');
  });

  it('leave the next argument alone', () => {
    expect(parseCommandLine('stress', STRESS_FLAGS, ['--quiet', 'x']).positionals).toEqual(['x']);
  });
});

describe('command line', () => {
  it('refuses what is no flag, with the nearest', () => {
    expect(() => flagsOf('--levle', '1')).toThrow(
      '--levle is not a flag of stress (did you mean --level?)',
    );
    expect(() => flagsOf('-v')).toThrow('-v is not a flag of stress');
    expect(() => flagsOf('--Seed=1')).toThrow('did you mean --seed?');
  });

  it('names the commands a flag belongs to', async () => {
    const terminal = memoryTerminal();
    expect(await dispatch(['list', '--seed', '1'], terminal)).toBe(2);
    expect(terminal.printed.err).toBe(
      'stage2-stress: --seed is a flag of stress and selftest, not of list\n',
    );
  });

  it('ends flags at --', () => {
    const input = parseCommandLine('stress', STRESS_FLAGS, ['--seed', '1', '--', '--quiet']);
    expect(input.flags).toEqual({ seed: 1 });
    expect(input.positionals).toEqual(['--quiet']);
  });

  it('keeps the arguments as typed', () => {
    const args = ['--seed=1', '--vcpus', '1,2'];
    expect(parseCommandLine('stress', STRESS_FLAGS, args).argv).toEqual(args);
  });

  it('has two meanings of --json: a file for stress, a file or nothing for list', () => {
    expect(flagsOf('--json', 'a')).toEqual({ json: 'a' });
    expect(parseCommandLine('list', list.flags, ['--json']).flags).toEqual({ json: '-' });
    expect(parseCommandLine('list', list.flags, ['--json', '--no-color']).flags).toEqual({
      json: '-',
      'no-color': true,
    });
    expect(parseCommandLine('list', list.flags, ['--json', 'a']).flags).toEqual({ json: 'a' });
  });

  it('answers --help wherever it stands, but not after --', () => {
    expect(asksForHelp(['--seed', 'x', '--help'])).toBe(true);
    expect(asksForHelp(['-h'])).toBe(true);
    expect(asksForHelp(['--', '--help'])).toBe(false);
  });
});
