/** Skeletons are kept by their tree: each question about it has the answer that a new tree would get. */
import { expect, test } from 'vitest';
import {
  ABLATIONS,
  armModel,
  DEFAULT_BOUNDS,
  type System,
  ToldApart,
} from '../../../src/explore/model/index.ts';
import { PathTooLong, skeletonsOf } from '../../../src/explore/model/skeleton.ts';
import { parseLitmus } from '../../../src/litmus/parse/parse.ts';
import { prepare, shapesOf } from '../../../src/litmus/run-test.ts';
import { Names } from '../../../src/litmus/tree/translation.ts';

const SOURCE = `AArch64 shootdown
{ 0:X0=1; 0:X1=x; 0:X2=y; 0:X3=PTE(x); 0:X4=(oa:PA(y)); }
 P0             ;
 STR W0,[X2]    ;
 STR X4,[X3]    ;
 DSB ISH        ;
 TLBI VMALLE1IS ;
 DSB ISH        ;
 ISB            ;
 STR W0,[X1]    ;
exists (x=1)
`;

function fresh(): System {
  const test = parseLitmus('shootdown.litmus', SOURCE);
  return prepare(test, new Names(shapesOf(test)), DEFAULT_BOUNDS).system;
}

const MODELS = [
  armModel('base'),
  armModel('ets2'),
  ...Object.values(ABLATIONS).map((weakening) => armModel('base', weakening)),
];

test('one model is not told what another has', () => {
  const kept = fresh();
  const answers = MODELS.map((model) => skeletonsOf(kept, model, 0, 16));
  expect(answers).toEqual(MODELS.map((model) => skeletonsOf(fresh(), model, 0, 16)));
  expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBeGreaterThan(2);
});

test('the same question has the same answer', () => {
  const kept = fresh();
  expect(skeletonsOf(kept, armModel('base'), 0, 16)).toBe(
    skeletonsOf(kept, armModel('base'), 0, 16),
  );
});

test('a smaller bound is a question of its own, and so is what each path reads', () => {
  const kept = fresh();
  skeletonsOf(kept, armModel('base'), 0, 16);
  expect(() => skeletonsOf(kept, armModel('base'), 0, 2)).toThrow(PathTooLong);
  const { isSparse: _, ...others } = kept;
  const [plain] = skeletonsOf(others, armModel('base'), 0, 16);
  const [sparse] = skeletonsOf({ ...others, isSparse: true }, armModel('base'), 0, 16);
  expect([plain?.reads, sparse?.reads]).toEqual([undefined, expect.anything()]);
});

test('where FEAT_ETS2 makes a difference is told each time', () => {
  const kept = fresh();
  for (const model of [armModel('base'), armModel('base'), armModel('ets2')]) {
    const told = new ToldApart();
    skeletonsOf(kept, model, 0, 16, told);
    // The last store is walked for behind a DSB, and behind an ISB too.
    expect(told.areSame('base', 'ets2')).toBe(true);
    const withoutIsb = new ToldApart();
    skeletonsOf(kept, { ...model, isb: false }, 0, 16, withoutIsb);
    expect(withoutIsb.areSame('base', 'ets2')).toBe(false);
    expect(withoutIsb.areSame('ets2', 'ets3')).toBe(true);
  }
});
