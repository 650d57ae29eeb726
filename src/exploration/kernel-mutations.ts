/** `kernel --mutate`: each step of a tree's code left out, weakened and moved, and what it was for. */
import path from 'node:path';
import { ablationRows, type Explored, runsOn, type Variant } from '../ablation/index.ts';
import { idAa64Mmfr2, sanitisedBbmLevel } from '../arch/feat-bbm.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import type { ExploreRun, MutationRow } from '../result/explore.ts';
import { cpuTextOf, searchOf, variantsOn } from './ablate.ts';
import type { Search } from '../request/explore.ts';
import type { KernelTask } from '../request/kernel-plan.ts';

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
  const stopped = new Map<string, string>();
  for (const [i, search] of searches.entries()) {
    const base = bases[i];
    if (base === undefined) return null;
    const bbm = sanitisedBbmLevel(search.cpu.bbm.map((field) => idAa64Mmfr2(field)));
    const runs: ExploreRun[] = [];
    for (const variant of variants) {
      const run = runsOn(variant, bbm)
        ? await stoppable(runIt(searchOf(search, variant)), (why) => stopped.set(variant.code, why))
        : base;
      if (run === null) return null;
      runs.push(run === STOPPED ? base : run);
    }
    explored.push({ cpu: cpuTextOf(search), bbm, base, variants: runs });
  }
  // The rows are those of the variants that run on some of the CPUs, in their order.
  const shown = variants.filter((variant) => explored.some(({ bbm }) => runsOn(variant, bbm)));
  return ablationRows(protocol, variants, explored).map((row, i): MutationRow => {
    const file = fileOf(shown[i] ?? null, folder);
    const why = stopped.get(shown[i]?.code ?? '');
    if (why === undefined) return { ...row, file };
    const { isOpen: _, ...known } = row;
    return { ...known, file, needed: true, why };
  });
}

const STOPPED = Symbol('stopped');

/** A variant that the code itself stops, by a WARN_ON() say, has been found out as well. */
async function stoppable<T>(
  run: Promise<T>,
  onStop: (why: string) => void,
): Promise<T | typeof STOPPED> {
  try {
    return await run;
  } catch (error) {
    if (!(error instanceof ProtocolFailure)) throw error;
    onStop(error.cause instanceof Error ? error.cause.message : error.message);
    return STOPPED;
  }
}

function fileOf(variant: Variant | null, folder: string): string | null {
  const file = variant?.step.place?.file ?? null;
  return file === null ? null : path.relative(folder, file);
}
