/** Several results that have errata of TLBI completion: one table of them all, before each by itself. */
import { type ExploreRun, levelText } from '../../result/explore.ts';
import type { ResultFile } from '../../result/read.ts';
import { errataColumns, erratumOf, withoutErratum } from '../errata.ts';
import { html, type Html, NOTHING } from './html.ts';
import { anchorOf, byErratum } from './verdict-table.ts';

export const ERRATA_TITLE = 'Verdicts by erratum, of all results';

/** Null where fewer than two have any. `prefixOf`: what ids of a result begin with on the page. */
export function errataOfAll(
  results: readonly ResultFile[],
  prefixOf: (result: number) => string,
): Html | null {
  const links = new Map<ExploreRun, string>();
  const versions = new Set<string>();
  let count = 0;
  for (const [i, result] of results.entries()) {
    if (result.command !== 'explore' || result.runs.every((run) => erratumOf(run) === null))
      continue;
    count++;
    versions.add(result.version);
    for (const run of result.runs) links.set(run, anchorOf(run, prefixOf(i)));
  }
  const runs = withoutRepeats([...links.keys()]);
  const errata = errataColumns(runs);
  if (count < 2 || errata === null) return null;
  const mixed =
    versions.size === 1
      ? NOTHING
      : html`<p>They were made by different versions: ${[...versions].join(', ')}.</p>`;
  return html`${mixed} ${byErratum(runs, errata, (run) => links.get(run) ?? '')}`;
}

/** A search that two results have is said once, unless they differ. */
function withoutRepeats(runs: readonly ExploreRun[]): readonly ExploreRun[] {
  const saying = (run: ExploreRun): string => {
    const { scenario, mutant, against, vcpus, cpu } = withoutErratum(run);
    const search = [
      ...[run.protocol, scenario, mutant, against, levelText(run), vcpus, cpu],
      erratumOf(run),
    ];
    return JSON.stringify([search, run.verdict, run.violations.map(({ rule }) => rule)]);
  };
  return [...Map.groupBy(runs, saying).values()].flatMap(([first]) => first ?? []);
}
