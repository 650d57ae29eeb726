import { describe, expect, it } from 'vitest';
import { ktapReport } from '../../src/report/cases/ktap.ts';
import { HOSTILE } from './hostile.ts';
import { hostileResults } from './hostile-results.ts';
import { anExploreResult } from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';

interface Line {
  readonly ok: boolean;
  readonly number: number;
  readonly name: string;
  readonly skip: boolean;
}

/** As kunit.py reads it: version, plan, diagnostics, result lines; two levels. */
function parse(text: string): { suites: Line[]; cases: Line[][] } {
  const lines = text.trimEnd().split('\n');
  const suites = resultsAt(lines, '');
  const cases: Line[][] = [];
  let inner: string[] = [];
  for (const line of lines.slice(2)) {
    if (line.startsWith('  ')) inner.push(line);
    else {
      cases.push(resultsAt(inner, '  '));
      inner = [];
    }
  }
  return { suites, cases };
}

function resultsAt(lines: readonly string[], indent: string): Line[] {
  const own = lines.filter((line) => line.startsWith(indent) && line[indent.length] !== ' ');
  expect(own[0]).toBe(`${indent}KTAP version 1`);
  const plan = own.find((line) => /^ *1\.\.\d+$/.test(line));
  const found = own.flatMap((line): Line[] => {
    const match = /^ *(?<not>not )?ok (?<number>\d+) (?<name>.*?)(?<skip> # SKIP.*)?$/.exec(line);
    const { not, number, name = '', skip } = match?.groups ?? {};
    if (number === undefined) {
      expect(line.trimStart()).toMatch(/^(?:KTAP version 1$|1\.\.\d+$|# )/);
      return [];
    }
    return [{ ok: not === undefined, number: Number(number), name, skip: skip !== undefined }];
  });
  expect(plan).toBe(`${indent}1..${found.length}`);
  expect(found.map(({ number }) => number)).toEqual(found.map((_, i) => i + 1));
  return found;
}

describe('KTAP', () => {
  it('has a subtest per result that fails with its cases', () => {
    const failing = [
      aRun(),
      aRun({ protocol: 'other', verdict: 'fail', violations: [aViolation()] }),
    ];
    const { suites, cases } = parse(
      ktapReport([aResult(), aResult({ runs: failing, verdict: 'fail', exitCode: 1 })]),
    );
    expect(suites.map(({ ok }) => ok)).toEqual([true, false]);
    expect(cases[1]?.map(({ ok }) => ok)).toEqual([true, true, false, false]);
  });

  it('has a subtest that fails with a case that could not be judged', () => {
    const cut = aResult({ verdict: 'inconclusive', exitCode: 130 });
    const { suites, cases } = parse(ktapReport([cut]));
    expect(suites.map(({ ok }) => ok)).toEqual([false]);
    expect(cases[0]?.map(({ ok }) => ok)).toEqual([true, true, true, false]);
  });

  it('puts the reason before the line it is about', () => {
    const runs = [aRun({ verdict: 'fail', violations: [aViolation()] })];
    const lines = ktapReport([aResult({ runs })]).split('\n');
    const at = lines.findIndex((line) => line.startsWith('  not ok 2 bbm-late'));
    const reason = lines.findIndex((line) => line.includes(aViolation().why));
    expect(reason).toBeGreaterThan(0);
    expect(reason).toBeLessThan(at);
  });

  it('skips what is not judged', () => {
    const runs = [aRun({ exhibit: 'on purpose', violations: [aViolation()] })];
    const { cases } = parse(ktapReport([aResult({ runs, controls: [] })]));
    expect(cases[0]?.map(({ skip }) => skip)).toEqual([true, false]);
  });

  it.each(HOSTILE)('keeps its lines and plan with %j everywhere', (text) => {
    const { suites, cases } = parse(ktapReport(hostileResults(text)));
    expect(suites.map(({ ok }) => ok)).toEqual([false, false, true, false]);
    // The exhibit is the only case that may be skipped, whatever names say.
    expect(cases.flat().filter(({ skip }) => skip)).toHaveLength(1);
  });

  it('is the same text for the same result', () => {
    expect(ktapReport([anExploreResult()])).toBe(ktapReport([anExploreResult()]));
  });
});
