import { describe, expect, test } from 'vitest';
import { ownAnswer } from '../../src/answer/own.ts';
import { answerGroups, answerLines, mainGroups } from '../../src/report/text/answer-text.ts';
import { ownAnswerLines } from '../../src/report/text/own-answer-text.ts';
import { PLAIN } from '../../src/report/paint.ts';
import { trustNotes } from '../../src/report/text/trust-text.ts';
import { aRun, aTrust, CLEAN_RUN } from './results.ts';

const COST = { lines: 8, needs: [] };
const LATE = aRun({
  windowNs: { p50: 1000, p99: 1000, max: 1000, count: 200, histogram: '1000x200' },
  answer: {
    kind: 'coalesce',
    lostNs: { value: 3400, lo: 3300, hi: 3500 },
    walkRate: { value: 5e5, lo: 4e5, hi: 6e5 },
    cost: COST,
  },
});
const CLEAN = {
  ...CLEAN_RUN,
  answer: {
    kind: 'coalesce' as const,
    lostNs: { value: 0, lo: 0, hi: 0 },
    walkRate: { value: 5e5, lo: 4e5, hi: 6e5 },
    cost: { lines: 7, needs: ['FEAT_BBM level 1'] },
  },
};
const lines = (all: boolean) =>
  answerLines([LATE, CLEAN, { ...LATE, vcpus: 1 }], 160, PLAIN, { gib: 64, all });

test('the table', () => {
  expect(`\n${lines(false).slice(0, 7).join('\n')}\n`).toMatchInlineSnapshot(`
    "

    Is it worth it? What a cancelled migration costs the guest

    adjust-populated, 4k level 2, 2 vCPUs, bbm=1
                                              guest time lost                                     hit      walks/µs                                   costs
    protocol                    per block  per cancel  1 % at  episode p99            observed  model  idle  fitted  stores  TLBIs  lines  needs
    bbm-late         3.40 [3.30, 3.50] µs      111 ms   646/h      18.0 µs  12.3% [11.9, 12.8]  63.2%   0.5  0.0656       2      1      8  v8.0
    "
  `);
});

test('a short one has a configuration per block size, a whole one all', () => {
  const groups = answerGroups([LATE, CLEAN, { ...LATE, vcpus: 1 }, { ...LATE, level: 1 }], 64);
  expect(groups.map(({ rows }) => rows.length)).toEqual([2, 1, 1]);
  expect(mainGroups(groups).map(({ title }) => title)).toEqual([
    'adjust-populated, 4k level 2, 2 vCPUs, bbm=1',
    'adjust-populated, 4k level 1, 2 vCPUs, bbm=1',
  ]);
  expect(lines(true).length).toBeGreaterThan(lines(false).length);
});

test('says what it does not mean', () => {
  const text = lines(false).join(' ').replaceAll(/\s+/g, ' ');
  for (const limit of [
    'TLBs are simulated',
    'between host threads',
    'cache maintenance costs nothing',
  ])
    expect(text).toContain(limit);
});

test('nothing to say without rows', () => {
  expect(answerLines([aRun()], 160, PLAIN, { gib: 64, all: true })).toEqual([]);
});

test('figures of one’s own', () => {
  const figures = { windowNs: 1500, rate: 2e5, exitNs: 4000, cancels: 2, blockBytes: 2 ** 21 };
  const answer = ownAnswer({ ...figures, guest: { gib: 64, vcpus: 4 } });
  expect(`\n${ownAnswerLines(answer).join('\n')}\n`).toMatchInlineSnapshot(`
    "
    With your figures: a window of 1.50 µs, 200,000 walks/s per vCPU, an exit costs 4.00 µs;
    a guest of 64 GiB and 4 vCPUs in 32,768 blocks of 2 MiB

      hit              69.9 % of coalesces fault at least one vCPU
      spurious faults  1.04 per coalesce
      vCPU time lost   4.96 µs per block
                       163 ms per cancelled migration
                       325 ms per hour with 2 cancelled migrations: 0.0023 % of the guest's time
      1 % lost at      885 cancelled migrations per hour

    By the model 1 - exp(-rate x window): a vCPU meets a window by walking in it, and then waits for
    its end. Walks are taken to come at random; a flush that empties the TLB makes them come sooner.
    "
  `);
  const free = ownAnswer({ ...figures, exitNs: 0, guest: { gib: 64, vcpus: 4 } });
  expect(ownAnswerLines(free)[0]).toContain('say --exit NS');
});

describe('trust', () => {
  const fair = (...reasons: string[]) => aTrust('fair', ...reasons);
  const few = fair('times are of 40 rounds only');

  test('good rows are not mentioned; others with every reason', () => {
    const good = aRun({ trust: aTrust('good') });
    const early = aRun({ protocol: 'bbm-early', trust: few });
    expect(trustNotes([good, aRun()])).toEqual([]);
    expect(trustNotes([good, early, aRun({ trust: few })])).toEqual([
      'trust in times and rates of bbm-early, bbm-late: fair: times are of 40 rounds only',
    ]);
    expect(trustNotes([early])).toEqual([
      'trust in times and rates of all: fair: times are of 40 rounds only',
    ]);
  });

  test('a line per grade, worst first; reasons that differ in numbers are one', () => {
    const rows = [
      aRun({ trust: few }),
      aRun({ trust: fair('times are of 8 rounds only', '3 windows: too few for a p99') }),
      aRun({ protocol: 'x', trust: aTrust('poor', 'preempted in 99 % of rounds') }),
    ];
    expect(trustNotes(rows)).toEqual([
      'trust in times and rates of x: poor: preempted in 99 % of rounds',
      'trust in times and rates of bbm-late, bbm-late: fair: times are of 8 to 40 rounds only; ' +
        '3 windows: too few for a p99',
    ]);
  });

  test('of a reason with several numbers each has its range', () => {
    // The 99 of p99 is the same everywhere and stays.
    const rows = ['5 windows: too few for a p99', '9 windows: too few for a p99'];
    expect(trustNotes(rows.map((reason) => aRun({ trust: fair(reason) })))[0]).toContain(
      '5 to 9 windows: too few for a p99',
    );
  });
});
