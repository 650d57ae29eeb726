import { describe, expect, it } from 'vitest';
import {
  amplificationRun,
  type Comparison,
  Count,
  comparisonsOf,
  judgeAmplification,
} from '../../src/selftest/amplification.ts';
import { wilson } from '../../src/selftest/wilson.ts';
import { HUNT_SETTING } from '../../src/stress/campaign/hunt.ts';
import { aCase, aMutant, anAmplification } from './builders.ts';

const reordered = aCase('m', {
  column: 'stress-reorder',
  setting: { ...HUNT_SETTING, reorder: true },
});

describe('comparisonsOf', () => {
  it('puts what amplifies a mutant beside one side without', () => {
    const [comparison, ...others] = comparisonsOf([reordered], [1, 2], 50);
    expect(others).toEqual([]);
    expect(comparison).toMatchObject({ without: HUNT_SETTING, seeds: [1, 2], rounds: 50 });
    expect(comparison?.variants.map((variant) => variant.amplifier)).toEqual(['reorder']);
  });

  it('keeps apart what differs in more than that', () => {
    const level1 = { ...reordered, setting: { ...reordered.setting, level: 1 as const } };
    expect(comparisonsOf([reordered, level1], [1], 50)).toHaveLength(2);
  });

  it('does not ask reordering to help where it is not needed', () => {
    const plainly = [{ engine: 'stress', rules: ['stale-translation'] }] as const;
    const mutant = aMutant('m', { caughtBy: plainly });
    expect(comparisonsOf([{ ...reordered, mutant }], [1], 50)).toEqual([]);
    const ordered = aMutant('m', { caughtBy: [{ ...plainly[0], by: 'operations' }] });
    expect(comparisonsOf([{ ...reordered, mutant: ordered }], [1], 50)).toHaveLength(1);
  });

  it('leaves out what needs no help, has no moment, or must not be caught', () => {
    const cases = [
      aCase('plain'),
      { ...reordered, by: 'operations' as const },
      { ...reordered, why: 'it cannot' },
      aCase('modelled', { column: 'explore', engine: 'explore' }),
    ];
    expect(comparisonsOf(cases, [1], 50)).toEqual([]);
  });
});

describe('amplificationRun', () => {
  const [comparison] = comparisonsOf([reordered], [1], 50) as [Comparison];
  const variant = { amplifier: 'reorder', setting: reordered.setting } as const;
  /** Three seeds alike, of so many transitions and detections together. */
  const counted = (detections: number, transitions: number): Count => {
    const count = new Count();
    for (let seed = 0; seed < 3; seed++) count.add(transitions / 3, detections / 3);
    return count;
  };
  const run = (helped: number, plain: number) =>
    amplificationRun(comparison, variant, counted(helped, 3000), counted(plain, 3000), null);

  it('needs three times as many', () => {
    expect(run(300, 99)).toMatchObject({ effect: 'amplified', unfinished: null });
    expect(run(297, 102)).toMatchObject({ effect: 'none' });
    expect(run(297, 102).ratio).toBeCloseTo(2.91, 2);
  });

  it('and intervals apart: few detections may be chance', () => {
    expect(run(36, 3)).toMatchObject({ effect: 'amplified', ratio: 12 });
    expect(run(9, 3)).toMatchObject({ effect: 'none', ratio: 3 });
    expect(run(3, 0)).toMatchObject({ effect: 'none', ratio: null });
    expect(run(30, 0)).toMatchObject({ effect: 'amplified', ratio: null });
  });

  it('and every seed to agree: detections come in bursts', () => {
    const burst = new Count();
    for (const detections of [90, 0, 90]) burst.add(1000, detections);
    const plain = counted(0, 3000);
    const { effect, ratioAtLeast } = amplificationRun(comparison, variant, burst, plain, null);
    expect(ratioAtLeast).toBeGreaterThan(3);
    expect(effect).toBe('none');
  });

  it('cannot triple what is seen more often than in every third transition', () => {
    expect(run(3000, 1002).effect).toBe('saturated');
    expect(run(3000, 999).effect).toBe('amplified');
  });

  it('is no comparison where one side had more transitions', () => {
    const unfair = amplificationRun(
      comparison,
      variant,
      counted(900, 3000),
      counted(3, 2997),
      null,
    );
    expect(unfair.unfinished).toContain('same number of transitions');
  });
});

describe('judgeAmplification', () => {
  const helps = anAmplification();
  const no = anAmplification({ effect: 'none', ratio: 1.2 });

  it('one mutant that is easier to see is enough', () => {
    expect(judgeAmplification([no, helps], ['reorder']).useless).toEqual([]);
  });

  it('names what helps with none, and how far it got', () => {
    const saturated = anAmplification({ effect: 'saturated' });
    const why = (runs: Parameters<typeof judgeAmplification>[0]) =>
      judgeAmplification(runs, ['reorder']).useless.map((useless) => useless.why);
    expect(why([no])).toEqual(['at most 1.2 times as many detections']);
    expect(why([saturated])).toEqual(['all mutants it is for are seen as easily without it']);
    expect(why([])).toEqual(['no mutant is for it']);
  });

  it('a comparison that was not done proves nothing', () => {
    const failed = { ...helps, unfinished: 'a thread died' };
    expect(judgeAmplification([failed], ['reorder']).useless).toHaveLength(1);
  });
});

describe('wilson', () => {
  it('agrees with published figures', () => {
    // Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const rounded = (hits: number, trials: number): string => {
      const { lo, hi } = wilson(hits, trials);
      return `${lo.toFixed(4)} ${hi.toFixed(4)}`;
    };
    expect(rounded(81, 263)).toBe('0.2553 0.3662');
    expect(rounded(15, 148)).toBe('0.0624 0.1605');
    expect(rounded(0, 20)).toBe('0.0000 0.1611');
    expect(rounded(1, 29)).toBe('0.0061 0.1718');
  });

  it('knows nothing without a trial, and is 1 at most', () => {
    expect(wilson(0, 0)).toEqual({ value: 0, lo: 0, hi: 1 });
    expect(wilson(9, 9).hi).toBe(1);
  });
});
