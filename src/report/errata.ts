/**
 * The same searches on cores with and without an erratum of TLBI completion: the columns of a table, in
 * words, and its rows.
 */
import { TLBI_COMPLETIONS, type TlbiCompletion } from '../arch/cpu-model.ts';
import type { ExploreRun } from '../result/explore.ts';

export const NO_ERRATUM = 'no erratum';

/** What is left behind, and what makes up for it (docs/errata.md). */
export const ERRATUM_TEXTS: Readonly<Record<Exclude<TlbiCompletion, 'ok'>, string>> = {
  'late-writes':
    'TLBI and DSB remove the entries, but stores that these had translated may take effect later ' +
    '(4118414, CVE-2025-10263); a second broadcast TLBI and its DSB make up for it',
  repeat:
    'entries may still be used after TLBI and DSB (1286807, 2441007, 2441009); a second broadcast TLBI ' +
    'and its DSB make up for it',
  ipi:
    'TLBI and DSB remove the entries, but accesses that these had translated may take effect later ' +
    '(4193714, CVE-2026-0995); an interrupt to each PE makes up for it',
};

export interface ErratumColumn {
  readonly title: string;
  readonly runs: readonly ExploreRun[];
}

/** As `--cpu tlbi=` has it; null without one. */
export const erratumOf = ({ cpu }: ExploreRun): string | null => cpu.tlbi ?? null;

/** With what software does about the erratum, all errata in one column. */
export const REPAIRED = 'repaired';

export const REPAIRED_TEXT =
  'the protocol on all of these cores, with what makes up for the erratum behind each DSB that completes ' +
  'a flush of stage 1';

export const isRepaired = ({ repaired }: ExploreRun): boolean => repaired !== undefined;

/** Whose row it is. */
export const rowName = ({ protocol, repaired }: ExploreRun): string =>
  repaired?.protocol ?? protocol;

/**
 * A row's cell of the last column. `one` makes a word of a search: of the worst, where all of them are of
 * one kind, else of each that is not safe, with its erratum.
 */
export function repairedCell<T>(
  own: readonly ExploreRun[],
  one: (run: ExploreRun, erratum: string) => T,
): readonly T[] {
  const runs = own.filter(isRepaired);
  const kindOf = ({ verdict, violations }: ExploreRun): string =>
    `${verdict} ${violations[0]?.rule ?? ''}`;
  const [worst] = runs.toSorted((a, b) => b.violations.length - a.violations.length);
  if (worst === undefined) return [];
  if (new Set(runs.map(kindOf)).size === 1) return [one(worst, '')];
  const wrong = runs.filter(({ verdict }) => verdict !== 'safe');
  return wrong.map((run) => one(run, `${erratumOf(run) ?? ''}: `));
}

/** Null unless the searches differ in the erratum. */
export function errataColumns(runs: readonly ExploreRun[]): readonly ErratumColumn[] | null {
  const groups = Map.groupBy(
    runs.filter((run) => !isRepaired(run)),
    erratumOf,
  );
  if (groups.size < 2) return null;
  const order: readonly string[] = TLBI_COMPLETIONS;
  const placeOf = (name: string | null): number => order.indexOf(name ?? 'ok');
  return [...groups]
    .toSorted(([a], [b]) => placeOf(a) - placeOf(b))
    .map(([name, own]) => ({ title: name ?? NO_ERRATUM, runs: own }));
}

/** The search without its erratum, and as it is without the repair: rows of the table. */
export function withoutErratum(run: ExploreRun): ExploreRun {
  const { tlbi: _, ...cpu } = run.cpu;
  const { protocol = run.protocol, against = run.against ?? null } = run.repaired ?? {};
  return { ...run, protocol, against, cpu };
}

/** What the columns mean; nothing of the CPU without one. */
export function errataLegend(
  columns: readonly ErratumColumn[],
  runs: readonly ExploreRun[],
): [string, string][] {
  const errata = columns.flatMap(({ title }): [string, string][] => {
    const text = (ERRATUM_TEXTS as Readonly<Record<string, string>>)[title];
    return text === undefined ? [] : [[title, text]];
  });
  return runs.some(isRepaired) ? [...errata, [REPAIRED, REPAIRED_TEXT]] : errata;
}
