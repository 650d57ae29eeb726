/** `kernel --mutate`: each step of a tree's code left out, weakened and moved, and what it was for. */
import path from 'node:path';
import { ablationRows, type Explored, runsOn, type Variant } from '../ablation/index.ts';
import { idAa64Mmfr2, sanitisedBbmLevel } from '../arch/feat-bbm.ts';
import type { ExploreRun, MutationRow } from '../result/explore.ts';
import { cpuTextOf, searchOf, variantsOn } from './ablate.ts';
import type { Search } from './explore-plan.ts';
import type { KernelTask } from './kernel-searches.ts';

type RunIt = (search: Search) => Promise<ExploreRun | null>;

/** Null: it was interrupted. `bases`: what the code as it is came to, by search. */
export async function mutationsOf(
  { searches, folder }: KernelTask,
  bases: readonly ExploreRun[],
  runIt: RunIt,
): Promise<readonly MutationRow[] | null> {
  const [first] = searches;
  if (first === undefined) return [];
  const { protocol } = first.subject;
  const variants = variantsOn(protocol, first.level);
  const explored: Explored[] = [];
  for (const [i, search] of searches.entries()) {
    const base = bases[i];
    if (base === undefined) return null;
    const bbm = sanitisedBbmLevel(search.cpu.bbm.map((field) => idAa64Mmfr2(field)));
    const runs: ExploreRun[] = [];
    for (const variant of variants) {
      const run = runsOn(variant, bbm) ? await runIt(searchOf(search, variant)) : base;
      if (run === null) return null;
      runs.push(run);
    }
    explored.push({ cpu: cpuTextOf(search), bbm, base, variants: runs });
  }
  return ablationRows(protocol, variants, explored).map((row) => ({
    ...row,
    file: fileOf(row.step, variants, folder),
  }));
}

function fileOf(step: number, variants: readonly Variant[], folder: string): string | null {
  const file = variants.find((variant) => variant.step.number === step)?.step.place?.file ?? null;
  return file === null ? null : path.relative(folder, file);
}
