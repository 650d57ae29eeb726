/** The always-failing cases: whatever is wrong, the verdict says so, and in the right order. */
import { describe, expect, it } from 'vitest';
import type { SelftestRun } from '../../src/result/selftest.ts';
import { gradeSelftest, type Outcome } from '../../src/selftest/verdict.ts';
import { anAmplification, anInnocent, aSelftestRun, aSurvivor } from './builders.ts';

const outcome = (overrides: Partial<Outcome> = {}): Outcome => ({
  runs: [aSelftestRun()],
  innocents: [anInnocent()],
  amplification: null,
  interrupted: false,
  ...overrides,
});
const grade = (overrides: Partial<Outcome>) => gradeSelftest(outcome(overrides));
const cannot: SelftestRun = aSelftestRun({
  expected: 'missed',
  observed: 'missed',
  expectedRules: [],
  firedRule: null,
  attempts: [],
  why: 'it has no such memory',
});
const accused = anInnocent({
  accusations: [{ rule: 'freed-table', why: 'a walker read table page 5 after it was freed' }],
});

describe('gradeSelftest', () => {
  it('passes when all is caught, nobody accused, and the rest cannot', () => {
    expect(grade({ runs: [aSelftestRun(), cannot] })).toEqual({
      verdict: 'pass',
      exitCode: 0,
      reasons: [],
    });
  });

  it('a survivor is exit 1, with what was expected', () => {
    expect(grade({ runs: [aSelftestRun(), aSurvivor({ setting: '--level 1' })] })).toEqual({
      verdict: 'fail',
      exitCode: 1,
      reasons: ['no-tlbi survived stress (--level 1): expected stale-translation, no rule fired'],
    });
  });

  it('another rule than those expected is a survivor too, and named', () => {
    const { exitCode, reasons } = grade({ runs: [aSurvivor({ wrongRule: 'tlb-conflict' })] });
    expect(exitCode).toBe(1);
    expect(reasons[0]).toContain('tlb-conflict fired, which is none of those expected');
  });

  it('a survivor of a busy machine says that the machine was busy', () => {
    const busy = 'the machine was busy (a thread was preempted in 9 of 10 rounds)';
    const attempts = aSurvivor().attempts.map((attempt) => ({ ...attempt, note: busy }));
    expect(grade({ runs: [aSurvivor({ attempts })] }).reasons[0]).toContain(busy);
  });

  it('a false alarm is exit 1, with the protocol and the rule', () => {
    const { exitCode, reasons } = grade({ innocents: [anInnocent(), accused] });
    expect(exitCode).toBe(1);
    expect(reasons).toEqual([expect.stringContaining('accuses bbm-early of freed-table')]);
  });

  it('a catch with a poor report is exit 1', () => {
    const { exitCode, reasons } = grade({
      runs: [aSelftestRun({ reportProblems: ['no event of vcpu 0'] })],
    });
    expect(exitCode).toBe(1);
    expect(reasons[0]).toContain('report is poor: no event of vcpu 0');
  });

  it('what could not run is exit 3, whoever it was', () => {
    for (const open of [
      { runs: [aSelftestRun(), aSurvivor({ unfinished: 'a thread died' })] },
      { innocents: [anInnocent({ unfinished: 'a thread died' })] },
    ]) {
      const { verdict, exitCode, reasons } = grade(open);
      expect([verdict, exitCode]).toEqual(['inconclusive', 3]);
      expect(reasons[0]).toContain('a thread died');
    }
  });

  it('hunts cut short on a busy machine say that it was busy', () => {
    const busy = 'the machine was busy (a thread was preempted in 9 of 10 rounds)';
    const attempts = aSurvivor().attempts.map((attempt) => ({ ...attempt, note: busy }));
    const { reasons, exitCode } = grade({
      runs: [aSelftestRun(), aSurvivor({ attempts, unfinished: 'the time was up' })],
    });
    expect(exitCode).toBe(3);
    expect(reasons.at(-1)).toContain(`1 of 1 say: ${busy}`);
  });

  it('a reason that many share is said once', () => {
    const runs = Array.from({ length: 7 }, (_, i) =>
      aSurvivor({ mutant: `m${i}`, unfinished: 'the time was up' }),
    );
    const { reasons } = grade({ runs: [aSelftestRun(), ...runs] });
    expect(reasons).toEqual([
      'm0, stress; m1, stress; m2, stress; m3, stress; m4, stress and 2 more: the time was up',
    ]);
  });

  it('nothing at all is exit 3', () => {
    expect(grade({ runs: [], innocents: [] })).toMatchObject({
      exitCode: 3,
      reasons: ['nothing ran'],
    });
    expect(grade({ runs: [cannot], innocents: [] }).exitCode).toBe(3);
  });

  it('interrupted is 130, outranked only by what was seen to be wrong', () => {
    expect(grade({ interrupted: true }).exitCode).toBe(130);
    expect(
      grade({ interrupted: true, runs: [aSurvivor({ unfinished: 'interrupted' })] }).exitCode,
    ).toBe(130);
    expect(grade({ interrupted: true, innocents: [accused] }).exitCode).toBe(1);
  });

  it('a setting that does not help is exit 1, and named', () => {
    const amplification = {
      runs: [anAmplification()],
      useless: [{ setting: 'isb', why: 'no mutant is for it' }],
    };
    const { exitCode, reasons } = grade({ runs: [], innocents: [], amplification });
    expect(exitCode).toBe(1);
    expect(reasons).toEqual(['isb does not make bugs easier to see: no mutant is for it']);
    expect(
      grade({ runs: [], innocents: [], amplification: { ...amplification, useless: [] } }).exitCode,
    ).toBe(0);
  });
});
