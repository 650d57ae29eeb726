/** Two results beside each other: what is worse, what is better, what cannot be told. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { dispatch } from '../../src/cli/dispatch.ts';
import { formatJson } from '../../src/report/json.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import type { ResultFile } from '../../src/result/read.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { aSelftestResult, anExploreResult } from '../report/other-results.ts';
import { aResult, aRun, aViolation, exactly } from '../report/results.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

interface Seen {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function compared(before: unknown, after: unknown, ...flags: string[]): Promise<Seen> {
  const folder = emptyFolder();
  const files = [before, after].map((result, i) => {
    const file = path.join(folder, `${i}.json`);
    writeFileSync(file, typeof result === 'string' ? result : formatJson(result));
    return file;
  });
  const terminal = memoryTerminal();
  const code = await dispatch(['compare', ...files, ...flags], terminal);
  return { code, ...terminal.printed };
}

const stress = (...runs: readonly Partial<StressRun>[]): ResultFile =>
  aResult({ runs: runs.map(aRun) });
const hit = (value: number, lo: number, hi: number): Partial<StressRun> => ({
  hitShare: { value, lo, hi },
});

describe('stress', () => {
  it('passes on the same twice', async () => {
    const seen = await compared(stress({}), stress({}));
    expect(seen).toMatchObject({ code: 0, err: '' });
    expect(seen.out).toMatch(/^1 row compared\nnothing differs by more than its interval\n/);
    expect(seen.out).toMatch(/\nPASS; exit 0: /);
  });

  it('fails on a verdict that got worse, and passes on one that got better', async () => {
    const [good, bad] = [stress({}), stress({ verdict: 'fail', violations: [aViolation()] })];
    const worse = await compared(good, bad);
    expect(worse.code).toBe(1);
    expect(worse.out).toMatch(
      /^bbm-late, adjust-populated, .*\n {2}verdict {2}pass -> fail {2}WORSE\n/,
    );
    expect(worse.out).toContain('FAIL; exit 1: something got worse\n');
    const better = await compared(bad, good);
    expect(better).toMatchObject({ code: 0 });
    expect(better.out).toContain('verdict  fail -> pass  better\n');
  });

  it('fails on a rule that was not broken before', async () => {
    const of = (...rules: readonly ('refcount' | 'table-leak')[]): ResultFile =>
      stress({ verdict: 'fail', violations: rules.map((rule) => aViolation({ rule })) });
    expect(await compared(of('refcount', 'table-leak'), of('refcount'))).toMatchObject({ code: 0 });
    const seen = await compared(of('refcount'), of('refcount', 'table-leak'));
    expect(seen.code).toBe(1);
    expect(seen.out).toContain('rules  refcount -> refcount, table-leak  WORSE\n');
  });

  it('tells figures by their intervals alone', async () => {
    const before = stress(hit(0.5, 0.4, 0.6));
    expect(await compared(before, stress(hit(0.65, 0.6, 0.7)))).toMatchObject({ code: 0 });
    const more = await compared(before, stress(hit(0.65, 0.61, 0.7)));
    expect(more.code).toBe(1);
    expect(more.out).toContain('hit  50.0% [40.0, 60.0] -> 65.0% [61.0, 70.0]  WORSE\n');
    const less = await compared(before, stress(hit(0.1, 0.05, 0.2)));
    expect(less.code).toBe(0);
    expect(less.out).toContain('better\n');
  });

  it('does not guess what was not measured', async () => {
    const seen = await compared(
      stress(hit(0.5, 0.4, 0.6)),
      stress({ hitShare: null, notMeasured: { hitShare: 'a busy machine' } }),
    );
    expect(seen.code).toBe(0);
    expect(seen.out).toMatch(/\n\d+ figures? not measured in one of the two: not compared\n/);
  });

  it('is inconclusive where a row is gone, and content with a new one', async () => {
    const [one, two] = [stress({}), stress({}, { protocol: 'nt-spec' })];
    const gone = await compared(two, one);
    expect(gone.code).toBe(3);
    expect(gone.out).toContain('row  pass -> not there\n');
    expect(gone.out).toContain('reason: 1 row of the first not in the second\n');
    expect(await compared(one, two)).toMatchObject({ code: 0 });
  });
});

test('explore: a protocol that was safe', async () => {
  const result = anExploreResult();
  const runs = result.runs.map((run) => ({ ...run, verdict: 'safe' as const, violations: [] }));
  const safe = { ...result, runs };
  const seen = await compared(safe, result, '--quiet');
  expect(seen.code).toBe(1);
  expect(seen.out).toContain('safe -> violated  WORSE\n');
  expect(seen.out).not.toContain('compared');
  expect(await compared(result, result)).toMatchObject({ code: 0 });
});

test('explore: parts of one search, and machines of other sizes, are not the same', async () => {
  const result = anExploreResult();
  const of = (over: Partial<ExploreRun>): unknown => ({
    ...result,
    runs: result.runs.map((run) => ({ ...run, ...over })),
  });
  const [first, second] = [
    { from: 0, to: 1, of: 2 },
    { from: 1, to: 2, of: 2 },
  ];
  const others = [
    of({ part: first }),
    of({ part: second }),
    of({ regions: 2 }),
    of({ granule: 'tiny4' }),
  ];
  for (const [i, one] of others.entries()) {
    expect(await compared(one, one)).toMatchObject({ code: 0 });
    for (const other of [result, ...others.slice(i + 1)]) {
      const seen = await compared(one, other);
      expect(seen).toMatchObject({ code: 2, err: expect.stringContaining('no row in common') });
    }
  }
});

test('selftest: a bug that is no longer caught', async () => {
  const result = aSelftestResult();
  const runs = result.runs.map((run) => ({ ...run, observed: 'missed' as const }));
  expect((await compared(result, { ...result, runs })).out).toContain('caught -> missed  WORSE\n');
});

test('--json has every change', async () => {
  const seen = await compared(stress({}), stress({ hitShare: exactly(1) }), '--json', '-');
  const result = JSON.parse(seen.out) as Record<string, unknown>;
  expect(result).toMatchObject({ tool: 'stage2-stress', schema: 1, command: 'compare' });
  expect(result).toMatchObject({ verdict: 'fail', exitCode: 1, rows: 1, seed: null });
  expect(result['changes']).toEqual([
    expect.objectContaining({ what: 'figure', name: 'hit', effect: 'worse' }),
  ]);
});

test.each([
  ['two commands', stress({}), anExploreResult(), 'the first is a result of stress, the second'],
  ['nothing in common', stress({}), stress({ protocol: 'x' }), 'no row in common'],
  ['no result', stress({}), '{}', '1.json: not a result of stage2-stress'],
])('bad input: %s', async (_, before, after, message) => {
  const seen = await compared(before, after);
  expect(seen).toMatchObject({ code: 2, out: '' });
  expect(seen.err).toMatch(/^stage2-stress: compare: .*\n$/);
  expect(seen.err).toContain(message);
});

test('it takes two results', async () => {
  const terminal = memoryTerminal();
  expect(await dispatch(['compare', 'a.json'], terminal)).toBe(2);
  expect(terminal.printed.err).toContain('compare needs <before.json> <after.json>');
});
