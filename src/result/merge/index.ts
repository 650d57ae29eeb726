/**
 * Results of shards, repeats and machines as one result with one verdict.
 *
 * What measured the same thing in the same environment is pooled; environments stay apart, as
 * `machine` of each row. The verdict is that of the worst part, and inconclusive where a part is
 * missing: a campaign of which a part is not known has not passed.
 */
import { EXIT, type ExitCode, type Verdict } from '../exit-code.ts';
import type { MachineInfo } from '../machine-info.ts';
import type { Merged } from '../merged.ts';
import { type ExploreFile, ResultError, type ResultFile, type StressFile } from '../read.ts';
import { shardText } from '../shard.ts';
import {
  campaignArgv,
  environmentKey,
  measuringFlags,
  missingParts,
  type PlacedSource,
  supersede,
} from './campaign.ts';
import { exploreRowKey, joinedRow } from './explore-rows.ts';
import { pooledControls, pooledRow, stressRowKey } from './stress-rows.ts';

export type Mergeable = StressFile | ExploreFile;
export type MergedFile = Mergeable & { readonly merged: Merged };

/** A result, and what it was made from: itself, unless it is merged already. */
interface Part {
  readonly result: Mergeable;
  readonly sources: readonly PlacedSource[];
}

/** At least one result. Throws a ResultError where they do not belong together. */
export function mergeResults(results: readonly ResultFile[]): MergedFile {
  const all = mergeable(results);
  const machines = distinctMachines(all);
  const { parts, duplicates } = withoutDuplicates(all.map((result) => partOf(result, machines)));
  const ordered = parts.toSorted((a, b) => shardIndex(a.result) - shardIndex(b.result));
  const sources = supersede(ordered.flatMap((part) => part.sources));
  const counting = ordered.filter((part) => counts(part, sources));
  const grade = gradeOf(sources, counting, missingParts(sources));
  const [first] = ordered as [Part, ...Part[]];
  const { shard: _, ...whole } = first.result;
  const merged: Merged = { machines, sources: sources.map(withoutArch), duplicates };
  const header = {
    ...grade,
    seed: shared(sources.map(({ seed }) => seed)) ?? null,
    argv:
      shared(sources.map(({ argv }) => JSON.stringify(argv))) === undefined
        ? []
        : (sources[0]?.argv ?? []),
    machine: machines[0] as MachineInfo,
    startedAt: sources.map(({ startedAt }) => startedAt).sort()[0] ?? first.result.startedAt,
    elapsedMs: elapsedOf(sources),
    interrupted: sources.some(({ interrupted, superseded }) => interrupted && !superseded),
    merged,
  };
  if (whole.command !== 'stress') return { ...whole, ...header, runs: exploreRuns(ordered) };
  const { campaign: _campaign, ...stress } = whole;
  return { ...stress, ...header, ...stressContent(ordered, counting, machines) };
}

function mergeable(results: readonly ResultFile[]): Mergeable[] {
  const commands = [...new Set(results.map(({ command }) => command))];
  const [command] = commands;
  if (commands.length > 1) {
    throw new ResultError(
      `results of ${commands.join(' and ')} do not make one; merge those of one command, and ` +
        'give report all of them',
    );
  }
  if (command !== 'stress' && command !== 'explore')
    throw new ResultError(
      `results of ${command ?? 'nothing'} have no parts; merge takes stress or explore`,
    );
  const versions = [...new Set(results.map(({ version }) => version))];
  if (versions.length > 1)
    throw new ResultError(`made by versions ${versions.join(' and ')}; merge those of one version`);
  const flags = [...new Set(results.map(({ argv }) => measuringFlags(argv)))];
  if (flags.length > 1) {
    const each = flags.map((text) => (text === '' ? 'none of them' : text)).join(' and ');
    throw new ResultError(`measured with different flags (${each}); merge them apart`);
  }
  return results as readonly Mergeable[] as Mergeable[];
}

function distinctMachines(results: readonly Mergeable[]): MachineInfo[] {
  const all = results.flatMap(({ merged, machine }) => merged?.machines ?? [machine]);
  return [...Map.groupBy(all, environmentKey).values()].flatMap(([first]) => first ?? []);
}

function partOf(result: Mergeable, machines: readonly MachineInfo[]): Part {
  const place = (machine: MachineInfo): { machine: number; arch: string } => {
    const key = environmentKey(machine);
    return { machine: machines.findIndex((m) => environmentKey(m) === key), arch: machine.arch };
  };
  if (!result.merged) {
    const { startedAt, elapsedMs, seed, verdict, exitCode, interrupted } = result;
    const own = { startedAt, elapsedMs, seed, verdict, exitCode, interrupted };
    const argv = campaignArgv(result.argv);
    const shard = result.shard ?? null;
    const parts = partsOf(result);
    const source = { ...own, ...parts, argv, shard, ...place(result.machine), superseded: false };
    return { result: onMachines(result, machines, place), sources: [source] };
  }
  const own = result.merged.machines;
  const sources = result.merged.sources.map((source) => ({
    ...source,
    ...place(own[source.machine] ?? result.machine),
  }));
  return { result: onMachines(result, machines, place), sources };
}

function partsOf(result: Mergeable): Pick<PlacedSource, 'parts'> {
  const parts = result.command === 'stress' ? (result.campaign?.parts ?? []) : [];
  return parts.length < 2 ? {} : { parts: parts.map(({ startedAt }) => startedAt) };
}

/** Rows know their machine where there are several. */
function onMachines(
  result: Mergeable,
  machines: readonly MachineInfo[],
  place: (machine: MachineInfo) => { machine: number },
): Mergeable {
  if (machines.length < 2 || result.command !== 'stress') return result;
  const runs = result.runs.map((run) => {
    const own = result.merged?.machines[run.machine ?? 0] ?? result.machine;
    return { ...run, machine: place(own).machine };
  });
  return { ...result, runs };
}

/**
 * The runs of the program that a source was made by, each by what no two share. How long it took is
 * not among that: a result written between two groups is part of the one at the end.
 */
function identities({ startedAt, parts, seed, shard, machine, argv }: PlacedSource): string[] {
  const part = shard === null ? null : shardText(shard);
  return (parts ?? [startedAt]).map((start) => JSON.stringify([start, seed, part, machine, argv]));
}

function withoutDuplicates(parts: readonly Part[]): { parts: Part[]; duplicates: number } {
  // What holds the most first, so that a result that is part of another is the one left out.
  const idsOf = ({ sources }: Part): string[] => sources.flatMap(identities);
  const largest = parts.toSorted(
    (a, b) => idsOf(b).length - idsOf(a).length || elapsedOf(b.sources) - elapsedOf(a.sources),
  );
  const seen = new Set<string>();
  const kept = new Set<Part>();
  let duplicates = parts.reduce((sum, { result }) => sum + (result.merged?.duplicates ?? 0), 0);
  for (const part of largest) {
    const ids = idsOf(part);
    const known = ids.filter((id) => seen.has(id)).length;
    if (known === ids.length) {
      duplicates += 1;
      continue;
    }
    if (known > 0)
      throw new ResultError(
        'two results share some of their parts, by merge or by --resume; merge the parts ' +
          'themselves, or one of the two',
      );
    for (const id of ids) seen.add(id);
    kept.add(part);
  }
  return { parts: parts.filter((part) => kept.has(part)), duplicates };
}

function elapsedOf(sources: readonly PlacedSource[]): number {
  return sources.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
}

function shardIndex({ shard }: Mergeable): number {
  return shard?.index ?? 1;
}

/** Not superseded: what it says of itself belongs to the whole. */
function counts(part: Part, sources: readonly PlacedSource[]): boolean {
  const ids = new Set(part.sources.flatMap(identities));
  return sources.some(
    (source) => !source.superseded && identities(source).some((id) => ids.has(id)),
  );
}

function gradeOf(
  sources: readonly PlacedSource[],
  counting: readonly Part[],
  missing: readonly string[],
): { verdict: Verdict; exitCode: ExitCode; reasons: string[] } {
  const told = new Set([...missing, ...counting.flatMap(ownReasons)]);
  const reasons = [...told];
  const standing = sources.filter(({ superseded }) => !superseded);
  if (sources.some(({ verdict }) => verdict === 'fail'))
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (standing.some(({ exitCode }) => exitCode === EXIT.internal))
    return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (missing.length > 0 || standing.some(({ verdict }) => verdict !== 'pass'))
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

/** What a merged part lacked when it was made may be here by now. */
function ownReasons({ result, sources }: Part): string[] {
  const lacked = new Set(missingParts(sources));
  return result.reasons.filter((reason) => !lacked.has(reason));
}

/** Superseded attempts count as evidence: what they saw did happen. */
function stressContent(
  ordered: readonly Part[],
  counting: readonly Part[],
  machines: readonly MachineInfo[],
): Pick<StressFile, 'runs' | 'controls'> {
  const rows = ordered.flatMap(({ result }) => (result.command === 'stress' ? result.runs : []));
  const controls = counting.flatMap(({ result }) =>
    result.command === 'stress' ? result.controls : [],
  );
  const groups = [...Map.groupBy(rows, stressRowKey).values()];
  const runs = groups.map((group) =>
    pooledRow(group as [StressFile['runs'][0], ...StressFile['runs']]),
  );
  return {
    runs: machines.length < 2 ? runs.map(({ machine: _, ...run }) => run) : runs,
    controls: pooledControls(controls),
  };
}

function exploreRuns(ordered: readonly Part[]): ExploreFile['runs'] {
  const rows = ordered.flatMap(({ result }) => (result.command === 'explore' ? result.runs : []));
  const groups = [...Map.groupBy(rows, exploreRowKey).values()];
  return groups.map((group) =>
    joinedRow(group as [ExploreFile['runs'][0], ...ExploreFile['runs']]),
  );
}

/** The value all have; undefined where they differ. */
function shared<T>(values: readonly T[]): T | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}

function withoutArch({ arch: _, ...source }: PlacedSource): Merged['sources'][0] {
  return source;
}
