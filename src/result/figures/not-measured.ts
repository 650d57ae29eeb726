/**
 * Shares, rates and times that were not measured: null, with a reason under the figure's name
 * (`windowNs`, `faultsPerTransition.retry`), or one for all that stand under it (`faultsPerTransition`).
 */
import { FIGURES } from './figures.ts';
import { type Figure, isFigure, type Table } from './kinds.ts';

/** A row, as far as this is concerned. */
export interface Measured {
  readonly notMeasured?: Readonly<Record<string, string>>;
}

type Path = readonly string[];

/** Why the figure at `path` was not measured; null where nobody says. */
export function whyNotMeasured({ notMeasured }: Measured, path: Path): string | null {
  return notMeasured?.[path.join('.')] ?? notMeasured?.[path[0] ?? ''] ?? null;
}

/** Names of figures that are null, each with its reason; null if there is none. */
export function missingFigures(
  run: Measured & Readonly<Record<keyof typeof FIGURES & 'hitShare', unknown>>,
): readonly { readonly path: Path; readonly why: string | null }[] {
  return nullPaths(FIGURES, run, []).map((path) => ({ path, why: whyNotMeasured(run, path) }));
}

function nullPaths(table: Table, value: unknown, at: Path): Path[] {
  return Object.entries(table).flatMap(([name, entry]) => {
    const own = (value as Readonly<Record<string, unknown>>)[name];
    const path = [...at, name];
    if (!isFigure(entry)) return nullPaths(entry, own, path);
    return own === null && needsReason(entry) ? [path] : [];
  });
}

/** A speed that is null had no round it could be of: vCPUs that take turns, say. */
function needsReason(figure: Figure): boolean {
  return figure.kind === 'plain'
    ? figure.of.kind === 'rate'
    : figure.kind === 'share' || figure.kind === 'rate' || figure.kind === 'time';
}
