import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { command } from '../../src/cli/commands/stress/command.ts';
import { STRESS_FLAGS, stressOptionsOf } from '../../src/cli/commands/stress/flags.ts';
import { STRESS_DEFAULTS, type StressOptions } from '../../src/stress/plan/plan.ts';

const options = (...args: string[]): Promise<StressOptions> =>
  stressOptionsOf(parseCommandLine('stress', STRESS_FLAGS, args), BUILT_IN);

describe('stressOptions', () => {
  it('is all defaults without flags, and a seed', async () => {
    const { seed, ...rest } = await options();
    expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
    expect(rest).toEqual({
      protocols: [],
      mutants: [],
      scenarios: [],
      cpuOverrides: {},
      granule: '4k',
      levels: [2],
      vcpus: [1, 2],
      rounds: null,
      repeats: 4,
      transitions: STRESS_DEFAULTS.transitions,
      timeMs: 45_000,
      reorder: false,
      delays: [],
      access: 'wasm',
      pin: { mode: 'auto' },
      storesPercent: 50,
      pattern: 'uniform',
      blocks: STRESS_DEFAULTS.blocks,
      failFast: false,
      explicit: [],
      argv: [],
    });
  });

  it('draws another seed each time', async () => {
    const seeds = await Promise.all([options(), options(), options()]);
    expect(new Set(seeds.map((o) => o.seed)).size).toBeGreaterThan(1);
  });

  it('takes every flag over, and knows which were given', async () => {
    const args =
      '--protocol bbm-late,nt-spec --mutant no-tlbi --scenario adjust-half --cpu bbm=2/1 --granule 4k --level 1,2 ' +
      '--vcpus 1,3 --rounds 10 --repeats 2 --transitions 5 --time 10s --seed 7 --reorder --delay tlbi=20 --access plain --pin off ' +
      '--stores 30 --pattern hot --blocks 2 --fail-fast --quiet';
    expect(await options(...args.split(' '))).toEqual({
      protocols: [
        { from: 'built-in', name: 'bbm-late', named: true },
        { from: 'built-in', name: 'nt-spec', named: true },
      ],
      mutants: ['no-tlbi'],
      scenarios: ['adjust-half'],
      cpuOverrides: { bbm: [2, 1] },
      granule: '4k',
      levels: [1, 2],
      vcpus: [1, 3],
      rounds: 10,
      repeats: 2,
      transitions: 5,
      timeMs: 10_000,
      seed: 7,
      reorder: true,
      delays: [{ site: 'tlbi', ns: 20 }],
      access: 'plain',
      pin: { mode: 'off' },
      storesPercent: 30,
      pattern: 'hot',
      blocks: 2,
      failFast: true,
      explicit: (
        'protocols scenarios mutants cpuOverrides granule levels vcpus rounds repeats failFast transitions timeMs seed ' +
        'storesPercent pattern blocks reorder delays access pin'
      ).split(' '),
      argv: args.split(' '),
    });
  });

  it('starts the portfolio several times, and anything else once', async () => {
    const repeats = async (...args: string[]) => (await options(...args)).repeats;
    expect(await repeats('--seed', '5')).toBe(4);
    const ofTime = ['100ms', '29s', '30s', '40s', '2h'];
    expect(await Promise.all(ofTime.map((time) => repeats('--time', time)))).toEqual([
      1, 1, 3, 4, 4,
    ]);
    expect(await repeats('--rounds', '5')).toBe(1);
    expect(await repeats('--level', '2')).toBe(1);
    expect(await repeats('--level', '2', '--repeats', '3')).toBe(3);
    expect(await repeats('--repeats', '1')).toBe(1);
  });

  it('has no time limit where rounds were asked for', async () => {
    expect((await options('--rounds', '5')).timeMs).toBeNull();
  });

  it('takes all, and does not call those named', async () => {
    const all = await options('--protocol', 'all', '--mutant', 'all', '--scenario', 'all');
    expect(all.protocols.map((p) => p.name)).toEqual(PROTOCOLS.map((p) => p.name));
    expect(all.protocols.some((p) => p.named)).toBe(false);
    expect(all.mutants).toEqual((await BUILT_IN.mutants()).map((m) => m.name));
    expect(all.scenarios).toEqual(BUILT_IN.scenarios.map((s) => s.name));
  });

  it('runs the examples of its help', async () => {
    const all = command.examples.map((example) => example.command.split(' ').slice(2));
    for (const args of all.filter((list) => !list.includes('./mine.ts'))) {
      const { argv } = await options(...args);
      expect(argv).toEqual(args);
    }
  });
});

describe('what makes no sense together', () => {
  const refused: readonly (readonly [args: string, answer: string])[] = [
    [
      '--level 2 --vcpus 1 --time 2s --repeats 9',
      '--repeats 9 make 9 starts of threads, too many for 2 s: give at least --time 4s, or --repeats 5',
    ],
    [
      '--time 4s --repeats 2',
      '--repeats 2 make 16 starts of threads, too many for 4 s: give at least --time 7s, or no --repeats',
    ],
    [
      '--rounds 3 --repeats 4',
      '--repeats 4 share --rounds 3: give at least 4 rounds, or fewer repeats',
    ],
    [
      '--protocol bbm-latte',
      '--protocol: there is no protocol "bbm-latte" (did you mean bbm-late?)',
    ],
    ['--mutant no-tlb', '--mutant: there is no mutant "no-tlb" (did you mean no-tlbi?)'],
    [
      '--scenario adjust',
      '--scenario: there is no scenario "adjust" (did you mean adjust-populated?)',
    ],
    ['--protocol all,bbm-late', '--protocol: "all" stands alone'],
    [
      '--granule 16k --level 1',
      '--level 1 does not go with --granule 16k, which has blocks at level 2 only',
    ],
    ['--granule 64k --level 2,1', '--level 1 does not go with --granule 64k'],
    [
      '--scenario relocate --protocol bbm-early,split-lazy',
      '--scenario relocate does not go with --protocol split-lazy, which splits blocks',
    ],
    [
      '--scenario relocate --protocol write-protect',
      '--scenario relocate does not go with --protocol write-protect, which is of kind protect: it runs ' +
        'in --scenario permission-ping-pong',
    ],
    [
      '--cpu multihit=amalgamate',
      'multihit=amalgamate needs a PE of BBM level 0, but bbm=1: give bbm=0',
    ],
    ['--cpu multihit=amalgamate,bbm=2/1', 'needs a PE of BBM level 0, but bbm=2/1'],
    ['--cpu multihit=abort,bbm=3', 'multihit=abort cannot be with bbm=3, which never aborts'],
    [
      '--cpu multihit=abort --protocol bbml3-direct',
      'for protocol bbml3-direct multihit=abort cannot be with bbm=3',
    ],
    [
      '--cpu hdbss=on,hafdbs=off --scenario migration-complete --protocol bbm-early',
      'hdbss=on appends to a ring what hardware makes dirty, and with hafdbs=off it makes nothing dirty',
    ],
    [
      '--cpu hdbss=on',
      '--cpu: hdbss=on does nothing where no stores are logged (adjust-populated): give --scenario ' +
        'migration-cancel,migration-complete,page-table-test',
    ],
    ['--cpu hdbss=on --protocol write-protect', 'no stores are logged (permission-ping-pong)'],
    ['--cpu hdbss=on --scenario relocate,two-vms', 'no stores are logged (relocate, two-vms)'],
    ['--granule tiny', 'granule tiny is for explore; stress takes 4k, 16k or 64k'],
    ['--level 1 --blocks 9 --vcpus 2', 'at most 8 blocks fit'],
    ['--delay tlbi=1 --delay tlbi=2', '--delay: tlbi is there twice'],
    [
      `--pin list:0,${cpus().length}`,
      `--pin: there is no CPU ${cpus().length}; this machine has 0 to`,
    ],
  ];

  it.each(refused)('%s', async (args, answer) => {
    await expect(options(...args.split(' '))).rejects.toThrow(answer);
  });

  const accepted = [
    '--cpu bbm=3',
    '--cpu bbm=3,multihit=new',
    '--cpu bbm=3/2,multihit=abort',
    '--cpu bbm=0,multihit=amalgamate',
    '--cpu bbm=1/0,multihit=amalgamate',
    '--cpu nt=ignored',
    '--cpu hafdbs=off',
    '--cpu hafdbs=on',
    '--cpu hdbss=on --scenario migration-complete',
    '--cpu hdbss=off',
    '--cpu bbm=1 --protocol bbml3-direct',
    '--granule 16k',
  ];

  it.each(accepted)('but not %s', async (args) => {
    await expect(options(...args.split(' '))).resolves.toBeDefined();
  });
});
