/**
 * Mutations of a tree by lines of its source: one line is a step of several functions, and a change of
 * it is found out if it is in any of them.
 */
import type { ExploreRun, MutationRow } from '../../result/explore.ts';
import { changeText } from './ablation-text.ts';

export interface LineChange {
  /** `pgtable.c:106`, or null where it is not known. */
  readonly file: string | null;
  readonly line: number | null;
  readonly operation: string;
  readonly change: string;
  readonly needed: boolean;
  /** Of the first that survives, where all do. */
  readonly why: string | null;
}

export function lineChanges(runs: readonly ExploreRun[]): readonly LineChange[] {
  const rows = runs.flatMap(({ mutation }) => mutation ?? []);
  const keyOf = (row: MutationRow): string =>
    JSON.stringify([row.file, row.line, row.operation.split(' ')[0], changeText(row)]);
  return [...Map.groupBy(rows, keyOf).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const needed = same.some((row) => row.needed);
    const { file, line, operation, why } = first;
    return [{ file, line, operation, change: changeText(first), needed, why: needed ? null : why }];
  });
}
