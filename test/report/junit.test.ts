import { describe, expect, it } from 'vitest';
import { junitReport } from '../../src/report/cases/junit.ts';
import { HOSTILE } from './hostile.ts';
import { hostileResults } from './hostile-results.ts';
import {
  aBenchResult,
  aGrowthResult,
  aLitmusResult,
  anExploreResult,
  anExploreRun,
  aSelftestResult,
  aTraceResult,
  SERIES,
} from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';
import { type Element, elementsOf } from './xml.ts';

const named = (elements: readonly Element[], name: string) =>
  elements.filter((e) => e.name === name);

describe('JUnit XML', () => {
  it('has a suite per result, and counts that add up', () => {
    const xml = elementsOf(
      junitReport([
        aResult(),
        anExploreResult(),
        aLitmusResult(),
        aSelftestResult(),
        aBenchResult(),
        aGrowthResult(),
        aTraceResult(),
      ]),
    );
    const suites = named(xml, 'testsuite');
    expect(suites.map((suite) => suite.attributes['name'])).toEqual([
      'stress, seed 42',
      'explore',
      'litmus',
      'selftest, seed 42',
      'bench, seed 42',
      'bench, seed 42',
      'check-trace',
    ]);
    const [total] = named(xml, 'testsuites');
    const sum = (field: string) =>
      String(suites.reduce((n, suite) => n + Number(suite.attributes[field]), 0));
    expect(total?.attributes).toMatchObject({
      tests: String(named(xml, 'testcase').length),
      failures: String(named(xml, 'failure').length),
      errors: String(named(xml, 'error').length),
      skipped: String(named(xml, 'skipped').length),
    });
    for (const field of ['tests', 'failures', 'errors', 'skipped'])
      expect(total?.attributes[field]).toBe(sum(field));
  });

  it('has a case per series of costs, skipped where it missed its aim', () => {
    const met = { ...SERIES, name: 'met', aim: { what: 'fast', met: true } };
    const xml = elementsOf(junitReport([aGrowthResult([SERIES, met])]));
    expect(named(xml, 'testcase').map((one) => one.attributes['name'])).toEqual([
      'cycle by vCPUs',
      'met',
      'verdict',
    ]);
    expect(named(xml, 'skipped').map((one) => one.attributes['message'])).toEqual([
      'four vCPUs: 12 µs, the aim is 10',
    ]);
  });

  it('has a failure with rule, reason and events for a violation', () => {
    const runs = [aRun({ verdict: 'fail', violations: [aViolation()] })];
    const xml = elementsOf(junitReport([aResult({ runs, verdict: 'fail', exitCode: 1 })]));
    const [failure, verdict] = named(xml, 'failure');
    expect(failure?.attributes['message']).toBe('stale-translation');
    expect(failure?.text).toContain(aViolation().why);
    expect(failure?.text).toContain('6 112 hypervisor: write target = invalid');
    expect(verdict?.attributes['message']).toContain('a rule was violated');
  });

  it('has an error for what could not be judged, a skip for what is shown on purpose', () => {
    const exhibit = 'the promise is broken as posted';
    const runs = [aRun({ verdict: 'inconclusive' }), aRun({ exhibit, violations: [aViolation()] })];
    const controls = [{ ...aResult().controls[0], caught: false } as never];
    const xml = elementsOf(junitReport([aResult({ runs, controls })]));
    expect(named(xml, 'error')).toHaveLength(2);
    expect(named(xml, 'skipped').map((e) => e.attributes['message'])).toEqual([
      `exhibit, not judged: ${exhibit}`,
    ]);
    const shown = anExploreRun({ verdict: 'violated', exhibit });
    const explored = elementsOf(junitReport([anExploreResult({ runs: [shown], verdict: 'pass' })]));
    expect(named(explored, 'failure')).toEqual([]);
    expect(named(explored, 'skipped')).toHaveLength(1);
  });

  it.each([
    ['timeMs', 'the bound on time was met (--time)'],
    ['memoryBytes', 'the bound on memory was met (--memory)'],
    ['events', 'the bound on events was met'],
  ])('a search that met the bound %s says so in words', (stoppedBy, words) => {
    const run = anExploreRun({ verdict: 'bounded', stoppedBy });
    expect(junitReport([anExploreResult({ runs: [run], verdict: 'inconclusive' })])).toContain(
      words,
    );
  });

  it('says in a case of its own what only the whole result knows', () => {
    const cut = aResult({ verdict: 'inconclusive', exitCode: 130, reasons: ['stopped by hand'] });
    const [error] = named(elementsOf(junitReport([cut])), 'error');
    expect(error?.attributes['message']).toContain('interrupted');
    expect(error?.text).toBe('stopped by hand');
  });

  it.each(HOSTILE)('is well-formed with %j everywhere', (text) => {
    expect(named(elementsOf(junitReport(hostileResults(text))), 'testsuite')).toHaveLength(4);
  });

  it('carries text unchanged where it can', () => {
    const protocol = `a<b>&"c"'d'`;
    const [, first] = named(
      elementsOf(junitReport([aResult({ runs: [aRun({ protocol })] })])),
      'testcase',
    );
    expect(first?.attributes['name']).toContain(protocol);
  });
});
