/** Runs one test given as text: its final states, sorted, and its verdict. */
import {
  type Architecture,
  armModel,
  DEFAULT_BOUNDS,
  type ModelOptions,
} from '../../src/explore/model/index.ts';
import { parseLitmus } from '../../src/litmus/parse/parse.ts';
import { runTest, type TestOutcome } from '../../src/litmus/run-test.ts';

export function outcomeOf(
  source: string,
  arch: Architecture,
  weakening: Partial<ModelOptions> = {},
): TestOutcome {
  return runTest(parseLitmus('inline.litmus', source), armModel(arch, weakening), DEFAULT_BOUNDS);
}

/** Without the faults that did not happen. */
export function statesOf(
  source: string,
  arch: Architecture,
  weakening: Partial<ModelOptions> = {},
): string[] {
  return outcomeOf(source, arch, weakening).states.map(({ text }) =>
    text.replace(/ *~Fault\([^)]*\);/g, '').trim(),
  );
}
