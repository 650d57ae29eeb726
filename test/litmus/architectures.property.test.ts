/** A search that told two architectures apart nowhere is the search of both. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALL_ARCHITECTURES,
  type Architecture,
  armModel,
  DEFAULT_BOUNDS,
} from '../../src/explore/model/index.ts';
import { parseLitmus } from '../../src/litmus/parse/parse.ts';
import { runTest } from '../../src/litmus/run-test.ts';
import { NO_EXPECTATIONS } from '../../src/litmus/verdict/expect.ts';
import { runFile } from '../../src/litmus/run.ts';
import type { LitmusRunResult } from '../../src/result/litmus.ts';
import { column, litmusSource } from '../explore/model/random-programs.ts';
import { outcomeOf } from './states.ts';

const PROGRAMS = 400;

function runs(source: string, arch: readonly Architecture[]): Omit<LitmusRunResult, 'elapsedMs'>[] {
  const results = [...runFile('random.litmus', source, NO_EXPECTATIONS, { arch })];
  return results.map(({ elapsedMs: _, ...result }) => result);
}

/** P0 comes to z at last, whose entry P1 changes. */
function loading(before: readonly string[], entry: string, access = 'LDR W5,[X3]'): string {
  const rows = [...before.map((line) => [line, '']), [access, 'STR X4,[X3]']];
  const code = rows.map(([p0 = '', p1 = '']) => ` ${p0.padEnd(11)} | ${p1.padEnd(11)} ;`);
  return [
    'AArch64 loading',
    `{ [PTE(z)]=(${entry}); 0:X0=1; 0:X1=x; 0:X3=z; 1:X1=x; 1:X3=PTE(z); 1:X4=(oa:PA(x)); }`,
    ' P0          | P1          ;',
    ...code,
    'exists (0:X5=1)',
  ].join('\n');
}

describe('architectures', () => {
  it('come to the same together and one by one', () => {
    const told = { same: 0, apart: 0 };
    fc.assert(
      fc.property(column, column, (p0, p1) => {
        const source = litmusSource(p0, p1);
        const alone = ALL_ARCHITECTURES.flatMap((arch) => runs(source, [arch]));
        expect(runs(source, ALL_ARCHITECTURES)).toEqual(alone);
        expect(runs(source, ALL_ARCHITECTURES.toReversed())).toEqual(alone.toReversed());
        told[outcomeOf(source, 'base').isSameUnder('ets2') ? 'same' : 'apart']++;
      }),
      { seed: 23, numRuns: PROGRAMS },
    );
    expect(told.same).toBeGreaterThan(PROGRAMS / 10);
    expect(told.apart).toBeGreaterThan(PROGRAMS / 10);
  });

  it('differ where an access stands before a walk that faults', () => {
    const source = loading(['STR W0,[X1]'], 'valid:0');
    const { isSameUnder } = outcomeOf(source, 'base');
    expect(ALL_ARCHITECTURES.map(isSameUnder)).toEqual([true, false, false]);
    expect(outcomeOf(source, 'ets2').isSameUnder('base')).toBe(false);
  });

  it('differ where a DSB that waits for an access stands before a walk', () => {
    const waits = outcomeOf(loading(['STR W0,[X1]', 'DSB SY'], 'valid:1'), 'base');
    expect(ALL_ARCHITECTURES.map(waits.isSameUnder)).toEqual([true, false, false]);
    const others = [
      loading(['DSB SY'], 'valid:1'),
      loading(['STR W0,[X1]', 'DSB SY', 'ISB'], 'valid:1'),
    ];
    for (const source of [...others, loading(['STR W0,[X1]'], 'valid:1')]) {
      const { isSameUnder } = outcomeOf(source, 'base');
      expect(ALL_ARCHITECTURES.map(isSameUnder)).toEqual([true, true, true]);
    }
  });

  it('may differ wherever a bound has stopped the search', () => {
    const test = parseLitmus('stopped.litmus', loading(['ISB'], 'valid:0'));
    const stopped = runTest(test, armModel('base'), { ...DEFAULT_BOUNDS, states: 1 });
    expect(stopped.stoppedBy).toBe('states');
    expect(stopped.isSameUnder('ets2')).toBe(false);
  });

  it('ETS3 is FEAT_ETS2 where no Permission fault comes', () => {
    const { isSameUnder } = outcomeOf(loading(['STR W0,[X1]'], 'valid:0'), 'ets2');
    expect(ALL_ARCHITECTURES.map(isSameUnder)).toEqual([false, true, true]);
    const refused = loading(['STR W0,[X1]'], 'db:0', 'STR W0,[X3]');
    const permission = outcomeOf(refused, 'ets2').isSameUnder;
    expect(ALL_ARCHITECTURES.map(permission)).toEqual([true, true, false]);
  });
});
