import { describe, expect, it } from 'vitest';
import { mergeResults } from '../../src/result/merge/index.ts';
import { readResult, type ResultFile, type StressFile } from '../../src/result/read.ts';
import { formatJson } from '../../src/report/json.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { trustOf } from '../../src/result/trust.ts';
import {
  aLitmusResult,
  anExploreResult,
  anExploreRun,
  VIOLATED_RUN,
} from '../report/other-results.ts';
import { aResult, aRun, aTrust, aViolation, CLEAN_RUN } from '../report/results.ts';

let clock = 0;
/** A part of one campaign; each has its own start, as real runs do. */
const part = (overrides: Partial<StressFile> = {}): StressFile => {
  clock += 1;
  return { ...aResult(), startedAt: new Date(clock * 1000).toISOString(), ...overrides };
};
const shard = (index: number, count: number, overrides: Partial<StressFile> = {}): StressFile =>
  part({
    argv: ['--time', '1m', '--shard', `${index}/${count}`],
    shard: { index, count },
    ...overrides,
  });
const INTERRUPTED = { interrupted: true, verdict: 'inconclusive', exitCode: 130 } as const;
const verdictOf = (...results: readonly ResultFile[]) => {
  const { verdict, exitCode, reasons } = mergeResults(results);
  return { verdict, exitCode, reasons };
};
const rowsOf = (...results: readonly ResultFile[]) => (mergeResults(results) as StressFile).runs;

describe('shards', () => {
  it('together pass if each does', () => {
    expect(verdictOf(shard(2, 2), shard(1, 2))).toEqual({
      verdict: 'pass',
      exitCode: 0,
      reasons: [],
    });
  });

  it('of which one is missing are inconclusive', () => {
    expect(verdictOf(shard(1, 3), shard(3, 3))).toEqual({
      verdict: 'inconclusive',
      exitCode: 3,
      reasons: ['shard 2/3 is missing'],
    });
  });

  it('of which one failed fail, whatever is missing', () => {
    const failed = shard(1, 3, { verdict: 'fail', exitCode: 1 });
    expect(verdictOf(failed)).toMatchObject({ verdict: 'fail', exitCode: 1 });
  });

  it('of which one was interrupted are inconclusive, until it was run again', () => {
    const killed = shard(2, 2, INTERRUPTED);
    expect(verdictOf(shard(1, 2), killed)).toEqual({
      verdict: 'inconclusive',
      exitCode: 3,
      reasons: ['shard 2/2 is not finished: run it again'],
    });
    expect(verdictOf(shard(1, 2), killed, shard(2, 2))).toMatchObject({ verdict: 'pass' });
  });

  it('do not hide a violation of an interrupted attempt behind a pass of another', () => {
    const killed = shard(2, 2, { ...INTERRUPTED, verdict: 'fail', exitCode: 1 });
    expect(verdictOf(shard(1, 2), killed, shard(2, 2))).toMatchObject({
      verdict: 'fail',
      exitCode: 1,
    });
  });

  it('are replaced only where they came to nothing', () => {
    const superseded = (...all: readonly StressFile[]) =>
      mergeResults(all).merged.sources.map((source) => source.superseded);
    const failed = { verdict: 'fail', exitCode: 1 } as const;
    expect(superseded(shard(1, 1), shard(1, 1))).toEqual([false, false]);
    expect(superseded(shard(1, 1, failed), shard(1, 1))).toEqual([false, false]);
    expect(superseded(shard(1, 1, INTERRUPTED), shard(1, 1))).toEqual([true, false]);
    expect(superseded(shard(1, 1, INTERRUPTED), shard(1, 1, INTERRUPTED))).toEqual([false, false]);
  });

  it('whose control was missed are inconclusive, and a dead worker is told', () => {
    const missed = { verdict: 'inconclusive', exitCode: 3, reasons: ['control missed'] } as const;
    expect(verdictOf(shard(1, 1, missed))).toEqual({ ...missed, reasons: ['control missed'] });
    expect(verdictOf(shard(1, 1, missed), shard(1, 1))).toMatchObject({
      verdict: 'pass',
      reasons: [],
    });
    const dead = { verdict: 'inconclusive', exitCode: 70 } as const;
    expect(verdictOf(shard(1, 2, dead), shard(2, 2))).toMatchObject({ exitCode: 70 });
  });

  it('of two architectures are two campaigns', () => {
    const arm = { ...aResult().machine, arch: 'arm64' };
    expect(verdictOf(shard(1, 2), shard(2, 2), shard(1, 2, { machine: arm })).reasons).toEqual([
      'shard 2/2 is missing',
    ]);
  });

  it('stand in the order of one run, whatever the order of the files', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((protocol, i) =>
      shard(i + 1, 3, { runs: [aRun({ protocol })] }),
    ) as [StressFile, StressFile, StressFile];
    expect(rowsOf(c, a, b).map(({ protocol }) => protocol)).toEqual(['a', 'b', 'c']);
  });
});

describe('the same thing', () => {
  it('given twice counts once', () => {
    const one = part();
    const merged = mergeResults([one, structuredClone(one), part()]);
    expect(merged.merged.duplicates).toBe(1);
    expect(merged.merged.sources).toHaveLength(2);
  });

  it('inside a merged result and beside it counts once', () => {
    const [a, b, c] = [shard(1, 3), shard(2, 3), shard(3, 3)];
    const two = readResult(formatJson(mergeResults([a, b])));
    expect(mergeResults([two, a, c])).toMatchObject({ verdict: 'pass', merged: { duplicates: 1 } });
    expect(rowsOf(two, a, c)[0]?.transitions).toBe(3 * aRun().transitions);
  });

  it('inside two merged results is refused: it cannot be taken out again', () => {
    const [a, b, c] = [part(), part(), part()];
    expect(() => mergeResults([mergeResults([a, b]), mergeResults([b, c])])).toThrow('share some');
  });

  it('merged in steps comes to the same', () => {
    const [a, b, c] = [shard(1, 3), shard(2, 3), shard(3, 3)];
    const steps = mergeResults([mergeResults([a, b]), c]);
    expect(steps).toEqual(mergeResults([a, b, c]));
  });
});

describe('a resumed campaign', () => {
  const START = '2026-11-23T05:00:00.000Z';
  const resumed = (elapsedMs: number, ...starts: readonly string[]): StressFile =>
    part({
      startedAt: START,
      elapsedMs,
      campaign: {
        groups: [],
        leftMs: null,
        files: [],
        parts: [START, ...starts].map((startedAt) => ({ startedAt, elapsedMs: 1, exitCode: 130 })),
      },
    });

  it('holds the part it went on from: beside it that counts once', () => {
    const before = { ...resumed(5000), ...INTERRUPTED };
    const after = resumed(9000, '2026-11-23T06:00:00.000Z');
    const merged = mergeResults([before, after]);
    expect(merged).toMatchObject({ verdict: 'pass', elapsedMs: 9000, merged: { duplicates: 1 } });
    expect((merged as StressFile).runs[0]?.transitions).toBe(aRun().transitions);
    expect(mergeResults([readResult(formatJson(merged)), before]).merged.duplicates).toBe(2);
  });

  it('holds what it had written between two groups', () => {
    const [early, late] = [{ ...resumed(2000), ...INTERRUPTED }, resumed(8000)];
    for (const both of [
      [early, late],
      [late, early],
    ])
      expect(mergeResults(both)).toMatchObject({ verdict: 'pass', elapsedMs: 8000 });
  });

  it('that was gone on with twice is refused: the first part would count twice', () => {
    const [a, b] = [
      resumed(9000, '2026-11-23T06:00:00.000Z'),
      resumed(8000, '2026-11-23T07:00:00.000Z'),
    ];
    expect(() => mergeResults([a, b])).toThrow(
      'share some of their parts, by merge or by --resume',
    );
  });

  it('leaves its groups behind when it is merged: rows of several stand there', () => {
    expect(mergeResults([resumed(9000)])).not.toHaveProperty('campaign');
  });
});

describe('rows of one configuration', () => {
  const twice = (first: Parameters<typeof aRun>[0], second: Parameters<typeof aRun>[0]) => {
    const [row, ...others] = rowsOf(part({ runs: [aRun(first)] }), part({ runs: [aRun(second)] }));
    expect(others).toEqual([]);
    return row;
  };

  it('have their counts added and their means weighted', () => {
    expect(
      twice(
        {
          transitions: 100,
          transitionsHit: 10,
          tlbis: 1,
          faults: { ...aRun().faults, spurious: 11 },
        },
        {
          transitions: 300,
          transitionsHit: 90,
          tlbis: 3,
          faults: { ...aRun().faults, spurious: 99 },
        },
      ),
    ).toMatchObject({
      rounds: 2 * aRun().rounds,
      transitions: 400,
      transitionsHit: 100,
      tlbis: 2.5,
      faults: { spurious: 110 },
    });
  });

  it('have the percentiles of their histograms', () => {
    const low = { p50: 10, p99: 10, max: 10, count: 3, histogram: '10x3' };
    const high = { p50: 20, p99: 20, max: 21, count: 1, histogram: '20x1' };
    expect(twice({ windowNs: low }, { windowNs: high })?.windowNs).toEqual({
      p50: 10,
      p99: 20,
      max: 21,
      count: 4,
      histogram: '10x3 20x1',
    });
  });

  it('fail if one of them does, and pass beside one with nothing to judge', () => {
    expect(twice({ verdict: 'fail', violations: [aViolation()] }, {})?.verdict).toBe('fail');
    const nothing = { verdict: 'inconclusive', transitions: 0 } as const;
    expect(twice(nothing, {})?.verdict).toBe('pass');
    expect(twice(nothing, nothing)?.verdict).toBe('inconclusive');
    // It ran, and was not wholly judged.
    expect(twice({ verdict: 'inconclusive' }, {})?.verdict).toBe('inconclusive');
  });

  it('say nothing of a part in which nothing ran', () => {
    const cost = { lines: 7, needs: ['FEAT_BBM level 1'] };
    const answer = { kind: 'coalesce', lostNs: null, walkRate: null, cost } as const;
    const rates = aRun().faults;
    const ran = {
      answer,
      faultsPerTransition: rates,
      sharesOf: 'undisturbed rounds',
      notes: ['a note'],
    } as const;
    const empty = {
      ...ran,
      answer: { ...answer, cost: { lines: 7, needs: [] } },
      verdict: 'inconclusive',
      rounds: 0,
      transitions: 0,
      sharesOf: 'all rounds',
      notes: ['no transition ran'],
    } as const;
    for (const row of [twice(empty, ran), twice(ran, empty)]) {
      expect(row).toMatchObject({ ...ran, repeats: 1, verdict: 'pass' });
      expect(row?.answer?.cost).toEqual(cost);
    }
    expect(twice(empty, empty)).toMatchObject({ notes: ['no transition ran'], repeats: 2 });
  });

  it('weigh what was idle by all rounds, what was measured by the undisturbed ones', () => {
    const facts = (roundsKept: number) =>
      trustOf({
        rounds: 100,
        roundsKept,
        roundsDropped: 80,
        preemptionKnown: true,
        scheduled: false,
        unsettled: false,
        collections: 0,
        windows: 0,
        episodes: 0,
      });
    const of = (roundsKept: number, rate: number) => ({
      rounds: 100,
      roundsDropped: 80,
      roundsWarmUp: 60,
      trust: facts(roundsKept),
      throughput: { during: rate, baseline: rate },
    });
    // Rounds dropped in the warm-up are of both, and are not to be subtracted twice.
    expect(twice(of(30, 10), of(10, 50))?.throughput).toEqual({ during: 20, baseline: 30 });
  });

  it('keep each violation once, with its count', () => {
    const violations = [aViolation({ count: 2 })];
    const other = [aViolation({ count: 3 }), aViolation({ vcpu: 0 })];
    expect(
      twice({ violations }, { violations: other })?.violations.map(({ count }) => count),
    ).toEqual([5, 312]);
    const seen = twice(
      { violations: [aViolation({ count: 2, seen: 9 })] },
      { violations: [aViolation({ count: 3 })] },
    );
    expect(seen?.violations[0]).toMatchObject({ count: 5, seen: 12 });
  });

  it('are not pooled with those of another protocol, CPU or delay', () => {
    const runs = [
      aRun(),
      CLEAN_RUN,
      aRun({ delays: 'tlbi=5' }),
      aRun({ cpu: { ...aRun().cpu, tlb: 0 } }),
    ];
    expect(rowsOf(part({ runs }), part({ runs }))).toHaveLength(4);
  });
});

describe('figures that only some rows have', () => {
  const of = (value: number, lo: number, hi: number) => ({ value, lo, hi });
  const cancel = {
    coalesceNs: of(10, 8, 12),
    faults: of(1, 0, 2),
    accessesLost: of(-50, -60, -40),
  };
  const migration = { count: 2, pagesSent: 100, loggingFaults: 4, cancel };
  const extras = (run: Partial<StressRun>) => part({ runs: [aRun(run)] });

  it('are added or averaged by what they are of', () => {
    const [row] = rowsOf(
      extras({
        roundsWarmUp: 3,
        neighbour: { accesses: 10, refills: 1, rollovers: 0 },
        migration,
        trust: aTrust('good'),
      }),
      extras({
        roundsWarmUp: 4,
        neighbour: { accesses: 20, refills: 2, rollovers: 1 },
        migration: { ...migration, count: 6, pagesSent: 200, cancel: null },
        trust: aTrust('poor', 'busy'),
      }),
    );
    expect(row).toMatchObject({
      roundsWarmUp: 7,
      neighbour: { accesses: 30, refills: 3, rollovers: 1 },
      migration: { count: 8, pagesSent: 175, cancel },
      // By the facts of both, which are good.
      trust: { grade: 'good', reasons: [] },
    });
  });

  it('can be read again, however far apart the parts were', () => {
    const times = (at: number): NonNullable<StressRun['stages']> => [
      {
        name: 'ADJUST',
        ns: of(at, at, at),
        faults: { spurious: at, genuine: 0, retry: 0 },
      },
    ];
    const far = (at: number): Partial<StressRun> => ({
      migration: {
        ...migration,
        cancel: {
          coalesceNs: of(at, at, at),
          faults: of(at, at, at),
          accessesLost: of(-at, -at, -at),
        },
      },
      stages: times(at),
      hitShare: of(at / 1000, at / 1000, at / 1000),
      spuriousPerTransition: of(at, at, at),
      answer: {
        kind: 'coalesce',
        lostNs: of(at, at, at),
        walkRate: of(at, at, at),
        cost: { lines: 1, needs: [] },
      },
    });
    const merged = mergeResults([0.001, 0.001, 1000].map((at) => extras(far(at)))) as StressFile;
    const [row] = merged.runs;
    expect(row?.migration?.cancel?.accessesLost?.lo).toBeLessThan(-1000);
    expect(row?.migration?.cancel?.coalesceNs.lo).toBe(0);
    expect(row?.hitShare?.hi).toBe(1);
    expect((readResult(formatJson(merged)) as StressFile).runs).toEqual(merged.runs);
  });

  it('keep a mean below zero with its interval', () => {
    const [row] = rowsOf(extras({ migration }), extras({ migration }));
    const lost = row?.migration?.cancel?.accessesLost;
    expect([lost?.lo, lost?.value, lost?.hi].map((x) => x?.toFixed(2))).toEqual([
      '-57.07',
      '-50.00',
      '-42.93',
    ]);
  });
});

describe('different machines', () => {
  const arm = { ...aResult().machine, arch: 'arm64', model: 'Other' };

  it('stand apart, each row with its machine', () => {
    const merged = mergeResults([part(), part({ machine: arm }), part()]) as StressFile;
    expect(merged.merged?.machines.map(({ model }) => model)).toEqual([
      aResult().machine.model,
      'Other',
    ]);
    expect(merged.runs.map(({ protocol, machine }) => [protocol, machine])).toEqual([
      ['bbm-late', 0],
      ['rfc-nt-intended', 0],
      ['bbm-late', 1],
      ['rfc-nt-intended', 1],
    ]);
    expect(merged.runs[0]?.transitions).toBe(2 * aRun().transitions);
  });

  it('keep apart when merged again', () => {
    const both = mergeResults([part({ machine: arm }), part()]);
    const rows = rowsOf(both, part({ machine: arm }));
    expect(rows.find(({ machine }) => machine === 0)?.transitions).toBe(2 * aRun().transitions);
  });
});

describe('what does not belong together is refused', () => {
  it.each([
    [part(), anExploreResult(), 'results of stress and explore do not make one'],
    [aLitmusResult(), aLitmusResult(), 'merge takes stress or explore'],
    [part(), part({ version: '9.9.9' }), 'made by versions 0.1.0 and 9.9.9'],
    [
      part(),
      part({ argv: ['--stores=0'] }),
      'measured with different flags (none of them and --stores 0)',
    ],
  ])('%#', (a, b, why) => {
    expect(() => mergeResults([a, b])).toThrow(why);
  });
});

describe('searches', () => {
  it('of one configuration are one, and the one that tells most', () => {
    const bounded = anExploreRun({ verdict: 'bounded', stoppedBy: 'states' });
    const a = anExploreResult({ runs: [bounded, VIOLATED_RUN], argv: ['a'] });
    const b = anExploreResult({ runs: [anExploreRun()], argv: ['b'], startedAt: 'later' });
    expect(mergeResults([a, b]).runs).toEqual([anExploreRun(), VIOLATED_RUN]);
  });

  it('of another scenario or number of accesses are others', () => {
    const neighbour = anExploreRun({ scenario: 'two-vms' });
    const longer = anExploreRun({ bounds: { ...anExploreRun().bounds, accesses: 3 } });
    const runs = [anExploreRun(), neighbour, longer];
    const merged = mergeResults(
      runs.map((run, i) =>
        anExploreResult({ runs: [run], startedAt: `2026-11-23T0${i}:00:00.000Z` }),
      ),
    );
    expect(merged.runs).toEqual(runs);
  });
});

describe('what only some rows have, of several', () => {
  const both = (first: Partial<StressRun>, second: Partial<StressRun>) =>
    rowsOf(part({ runs: [aRun(first)] }), part({ runs: [aRun(second)] }))[0];
  const stage = (ns: number, spurious: number): NonNullable<StressRun['stages']> => [
    {
      name: 'ADJUST',
      ns: { value: ns, lo: ns, hi: ns },
      faults: { spurious, genuine: 0, retry: 0 },
    },
  ];

  it('is a mean over runs for stages', () => {
    const row = both({ rounds: 10, stages: stage(100, 2) }, { rounds: 30, stages: stage(300, 6) });
    expect(row?.stages).toMatchObject([
      { name: 'ADJUST', ns: { value: 250 }, faults: { spurious: 5 } },
    ]);
  });

  it('is the longest of the loops', () => {
    expect(both({ longestRefaultLoop: 2 }, { longestRefaultLoop: 7 })?.longestRefaultLoop).toBe(7);
  });
});
