import { describe, expect, it } from 'vitest';
import { PLAIN_TEXT } from '../../src/report/text/stress-text.ts';
import { selftestText } from '../../src/report/text/selftest-text.ts';
import type { SelftestResult } from '../../src/result/selftest.ts';
import { anAmplification, anInnocent, aSelftestRun, aSurvivor } from '../selftest/builders.ts';
import { aResult } from './results.ts';

const result = (overrides: Partial<SelftestResult> = {}): SelftestResult => ({
  ...aResult(),
  command: 'selftest',
  verdict: 'pass',
  exitCode: 0,
  reasons: [],
  seeds: [42, 43],
  runs: [],
  innocents: [],
  amplification: null,
  ...overrides,
});

const text = (overrides: Partial<SelftestResult>): string => selftestText(result(overrides));
const row = (shown: string, mutant: string): string =>
  shown.split('\n').find((line) => line.startsWith(mutant)) ?? '';

describe('the kill table', () => {
  it('has a row per mutant and a column per engine, with seconds and the rule', () => {
    const shown = text({
      runs: [
        aSelftestRun({ firedRule: 'freed-table' }),
        aSelftestRun({ column: 'explore', engine: 'explore', seconds: 1.234 }),
        aSelftestRun({ mutant: 'other', column: 'explore', engine: 'explore', seconds: 0.5 }),
      ],
    });
    expect(shown).toMatch(/^mutant +stress +explore$/m);
    expect(row(shown, 'no-tlbi')).toMatch(
      /^no-tlbi +0.31 s freed-table +1.23 s stale-translation$/,
    );
    expect(row(shown, 'other')).toMatch(/^other +0.5 s stale-translation$/);
  });

  it('shows survivors, what is open, and how many attempts it took', () => {
    const [attempt] = aSelftestRun().attempts;
    const [miss] = aSurvivor().attempts;
    if (attempt === undefined || miss === undefined) throw new Error('builders have attempts');
    const shown = text({
      runs: [
        aSurvivor({ mutant: 'survivor' }),
        aSurvivor({ mutant: 'open', unfinished: 'interrupted' }),
        aSelftestRun({ mutant: 'rare', attempts: [attempt, miss, miss] }),
        aSelftestRun({ mutant: 'fragile', unfinished: 'a thread died' }),
      ],
    });
    expect(row(shown, 'survivor')).toContain('MISSED 0/1');
    expect(row(shown, 'open')).toContain('not run');
    expect(row(shown, 'rare')).toContain('0.31 s stale-translation 1/3');
    expect(row(shown, 'fragile')).toContain('0.31 s stale-translation, then failed');
  });

  it('one setting that missed it is not hidden behind another that caught it', () => {
    const shown = text({ runs: [aSelftestRun(), aSurvivor({ setting: '--level 1' })] });
    expect(row(shown, 'no-tlbi')).toContain('MISSED');
  });

  it('marks what only the operations show', () => {
    const shown = text({ runs: [aSelftestRun({ by: 'operations' })] });
    expect(row(shown, 'no-tlbi')).toContain('0.31 s stale-translation*');
    expect(shown).toContain('* by the order of its operations alone');
  });

  it('says who cannot, each reason once', () => {
    const cannot = aSelftestRun({
      expected: 'missed',
      observed: 'missed',
      expectedRules: [],
      firedRule: null,
      attempts: [],
      why: 'Atomics of the host are sequentially consistent',
    });
    const shown = text({
      runs: [cannot, { ...cannot, mutant: 'other' }, { ...cannot, column: 'stress-reorder' }],
    });
    expect(row(shown, 'no-tlbi')).toMatch(/^no-tlbi +cannot +cannot$/);
    expect(shown.match(/Atomics of the host/g)).toHaveLength(1);
    expect(shown).toContain('stress, stress-reorder: no-tlbi');
    expect(shown).toContain('stress: other');
    expect(shown).toContain('0 of 0 expected catches made');
  });

  it('says what was caught although nobody asked', () => {
    const shown = text({
      runs: [aSelftestRun({ expected: 'missed', expectedRules: [], why: 'it cannot' })],
    });
    expect(row(shown, 'no-tlbi')).toContain('cannot? 0.31 s stale-translation');
    expect(shown).toContain('no-tlbi is marked as missed by stress, and was caught');
  });

  it('does not hide a rule that should not have fired', () => {
    const beside = text({ runs: [aSelftestRun({ wrongRule: 'tlb-conflict' })] });
    expect(beside).toContain('no-tlbi: tlb-conflict beside stale-translation (stress)');
    const instead = text({ runs: [aSurvivor({ wrongRule: 'refcount' })] });
    expect(instead).toContain('no-tlbi: refcount INSTEAD of stale-translation (stress)');
  });
});

describe('the rest of the report', () => {
  it('counts the correct protocols, and those accused', () => {
    const clean = anInnocent();
    expect(text({ innocents: [clean, { ...clean, setting: '--reorder' }] })).toContain(
      'correct protocols: 1 protocol under 2 settings of the hunts, 2 runs: none accused',
    );
    expect(text({ innocents: [clean, anInnocent({ unfinished: 'no time' })] })).toContain(
      '1 run: none accused; 1 more run not judged',
    );
    const accused = { ...clean, accusations: [{ rule: 'refcount', why: 'off by 1' }] } as const;
    expect(text({ innocents: [clean, accused] })).toContain('1 ACCUSED');
  });

  it('prints every reason, also with --quiet', () => {
    const shown = selftestText(
      result({
        verdict: 'fail',
        exitCode: 1,
        reasons: ['x survived stress', 'y is accused'],
        runs: [aSelftestRun()],
      }),
      { ...PLAIN_TEXT, quiet: true },
    );
    expect(shown.trimEnd().split('\n')).toEqual([
      'reason: x survived stress',
      'reason: y is accused',
      expect.stringMatching(/^FAIL in 44.8 s, seed 42; exit 1: /),
    ]);
  });

  it('says how to run the same again', () => {
    expect(text({})).toMatch(/^repeat +npm run selftest -- .*--seed 42$/m);
    expect(text({})).toMatch(/^seeds +42, 43$/m);
  });
});

describe('amplification', () => {
  it('is a table of both sides with their intervals', () => {
    const none = anAmplification({ mutant: 'no', effect: 'none', ratio: 1.5, ratioAtLeast: 0.9 });
    const seen = anAmplification({ mutant: 'seen-anyway', effect: 'saturated' });
    const shown = text({
      amplification: {
        runs: [anAmplification(), none, seen],
        useless: [{ setting: 'isb', why: 'no mutant is for it' }],
      },
    });
    expect(row(shown, 'no-dsb-before-tlbi')).toMatch(
      /reorder +300 of 3,000 +10.0% \[9.00, 11.1\] +0 of 3,000 +0 \(<0.128%\) +from none +70.0 +helps$/,
    );
    expect(row(shown, 'no ')).toMatch(/1.50 +0.9 +no$/);
    expect(shown).toContain('seen in more than a third of the transitions: seen-anyway');
    expect(shown).toContain('reorder helps: 1 of 2 mutants');
    expect(shown).toContain('isb does not help: no mutant is for it');
  });
});
