/** What reports say of figures that were not measured: a mark in their place, and why below. */
import { missingFigures, whyNotMeasured } from '../result/figures/not-measured.ts';
import type { StressRun } from '../result/stress.ts';
import { inRanges, withoutNumbers } from './ranges.ts';

export const NOT_MEASURED = 'n/m';

/** In the place of the figure; nothing where it is null for another reason. */
export function missingText(run: StressRun, path: readonly string[]): string {
  return whyNotMeasured(run, path) === null ? '' : NOT_MEASURED;
}

/** What tables call a figure, where its name in the JSON is another. */
const TITLES: Readonly<Record<string, string>> = {
  hitShare: 'hit',
  spuriousPerTransition: 'spurious',
  windowNs: 'window',
  ntWindowNs: 'nT',
  episodeNs: 'episode',
  flushNs: 'flush',
  lockNs: 'lock',
  'means.refills': 'refills',
};
const FAULTS = 'faultsPerTransition';

function titleOf(path: readonly string[]): string {
  const name = path.join('.');
  const [first, fault] = path;
  // What tables call spurious is this one.
  if (first === FAULTS && fault !== undefined)
    return fault === 'spurious' ? fault : `${fault} faults`;
  return TITLES[name] ?? name;
}

/**
 * `n/m, not measured: hit, window of bbm-late: the machine was busy`: a line for what rows lack alike, for
 * reasons that differ in their numbers at most.
 */
export function missingNotes(runs: readonly StressRun[]): string[] {
  const all = runs.flatMap((run) => {
    const reasons = Map.groupBy(missingFigures(run), ({ why }) => why ?? 'nobody says why');
    return [...reasons].map(([why, own]) => ({
      figures: [...new Set(own.map(({ path }) => titleOf(path)))].join(', '),
      why,
      who: run.mutant ?? run.protocol,
    }));
  });
  const alike = Map.groupBy(all, ({ figures, why }) => `${figures}: ${withoutNumbers(why)}`);
  return [...alike.values()].map((own) => {
    const who = [...new Set(own.map((one) => one.who))].join(', ');
    const why = inRanges(own.map((one) => one.why)).join('; ');
    return `${NOT_MEASURED}, not measured: ${own[0]?.figures} of ${who}: ${why}`;
  });
}
