/**
 * The 70 published tests that lie beside the project: both verdicts of each, and each weakening of the model caught by
 * at least one of them. Skipped, visibly, where the folder is not there: the files are Arm's and not ours to copy.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ABLATIONS, ARCHITECTURES } from '../../src/explore/model/index.ts';
import { runLitmus } from '../../src/litmus/index.ts';
import type { LitmusRunResult } from '../../src/result/litmus.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/litmus/', import.meta.url));
const HERD = path.join(FOLDER, 'herd');
const VERDICTS = path.join(FOLDER, 'verdicts.tsv');
const OPTIONS = { arch: ARCHITECTURES, expectFile: VERDICTS };

/**
 * Wrong verdicts of the 70 under each weakening: at least this many, so that a rule cannot quietly lose its tests. None
 * of the 70 has hardware updates: their rules are held by our own tests.
 */
const CAUGHT_MIN = {
  'tlbi-does-not-wait': 15,
  'dsb-does-not-wait-for-tlbi': 25,
  'isb-no-op': 5,
  'tlbi-removes-nothing': 25,
  'no-translation-coherence': 5,
  tso: 5,
  sc: 5,
  'no-tlb': 4,
} as const satisfies Partial<Record<keyof typeof ABLATIONS, number>>;

function wrong(runs: readonly LitmusRunResult[]): string[] {
  return runs
    .filter((run) => run.agrees !== true)
    .map((run) => `${run.name} ${run.arch}: ${run.verdict}, expected ${run.expected}`);
}

describe.skipIf(!existsSync(VERDICTS))('the published tests', () => {
  it('give all 140 verdicts', async () => {
    const runs = await runLitmus([HERD], OPTIONS);

    expect(runs).toHaveLength(140);
    expect(wrong(runs)).toEqual([]);
  });

  it.each(Object.entries(CAUGHT_MIN))('catch the weakening %s', async (name, least) => {
    const weakening = ABLATIONS[name as keyof typeof CAUGHT_MIN];
    const runs = await runLitmus([HERD], { ...OPTIONS, weakening });

    expect(wrong(runs).length).toBeGreaterThanOrEqual(least);
  });
});
