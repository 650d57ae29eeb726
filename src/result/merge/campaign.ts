/**
 * Which results are parts of one campaign, and whether all of its parts are there. Parts are told
 * by their flags: the same but for the part's number and where it is written.
 */
import type { MachineInfo } from '../machine-info.ts';
import type { MergeSource } from '../merged.ts';
import { shardText } from '../shard.ts';

/** Flags that may differ between parts of one campaign: with a value, and without. */
const OF_THE_PART = ['--shard', '--json', '--out', '--seed'];
const SWITCHES_OF_THE_PART = new Set(['--quiet', '--no-color']);

export function campaignArgv(argv: readonly string[]): string[] {
  return argv.filter((arg, i) => {
    const before = argv[i - 1];
    if (before !== undefined && OF_THE_PART.includes(before)) return false;
    if (SWITCHES_OF_THE_PART.has(arg)) return false;
    return !OF_THE_PART.some((flag) => arg === flag || arg.startsWith(`${flag}=`));
  });
}

/** Flags that change what a row measures and are in no field of the row. */
const MEASURING = ['--stores', '--pattern', '--blocks', '--transitions', '--pin'];

/** `--stores 10 --pin off`: what results must share to be pooled. */
export function measuringFlags(argv: readonly string[]): string {
  return MEASURING.flatMap((flag) => {
    const at = argv.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
    if (at < 0) return [];
    const arg = argv[at] as string;
    return [`${flag} ${arg === flag ? (argv[at + 1] ?? '') : arg.slice(flag.length + 1)}`];
  }).join(' ');
}

/** Everything a number depends on. */
const ENVIRONMENT = ['cpus', 'model', 'arch', 'node', 'v8', 'kernel'] as const;

/** Two machines with the same key may be pooled. */
export function environmentKey(machine: MachineInfo): string {
  return JSON.stringify(ENVIRONMENT.map((field) => machine[field]));
}

/** The first thing that a number depends on and that differs: `cpus 2, here 4`; null if none does. */
export function environmentDifference(there: MachineInfo, here: MachineInfo): string | null {
  const field = ENVIRONMENT.find((name) => there[name] !== here[name]);
  return field === undefined ? null : `${field} ${there[field]}, here ${here[field]}`;
}

/** A source knows its machine by index; its architecture decides which campaign it belongs to. */
export type PlacedSource = MergeSource & { readonly arch: string };

const isFinished = ({ interrupted, exitCode }: MergeSource): boolean =>
  !interrupted && exitCode !== 70 && exitCode !== 130;

function partKey({ argv, arch, shard }: PlacedSource): string {
  return JSON.stringify([campaignKey({ argv, arch, shard }), shard?.index ?? 1]);
}

/** Attempts with different seeds are attempts at the same part: one that is finished is enough. */
function campaignKey({ argv, arch, shard }: Pick<PlacedSource, 'argv' | 'arch' | 'shard'>): string {
  return JSON.stringify([argv, arch, shard?.count ?? 1]);
}

/**
 * The same with `superseded` set where another attempt at the same part came further: an unfinished
 * one beside a finished one, an inconclusive one beside a pass. A failure is never superseded.
 */
export function supersede<S extends PlacedSource>(sources: readonly S[]): S[] {
  const parts = Map.groupBy(sources, partKey);
  return sources.map((source) => {
    const others = (parts.get(partKey(source)) ?? []).filter((other) => other !== source);
    const better = (other: S): boolean =>
      isFinished(other) && (!isFinished(source) || other.verdict !== 'inconclusive');
    const superseded = source.verdict === 'inconclusive' && others.some(better);
    return { ...source, superseded: source.superseded || superseded };
  });
}

/** One sentence for each part that is not there or not finished. */
export function missingParts(sources: readonly PlacedSource[]): string[] {
  const missing: string[] = [];
  for (const own of Map.groupBy(sources, campaignKey).values()) {
    const count = own[0]?.shard?.count ?? 1;
    const found = Map.groupBy(own, ({ shard }) => shard?.index ?? 1);
    for (let index = 1; index <= count; index++) {
      const attempts = found.get(index);
      const what = count === 1 ? 'a result' : `shard ${shardText({ index, count })}`;
      if (attempts === undefined) missing.push(`${what} is missing`);
      else if (!attempts.some(isFinished)) missing.push(`${what} is not finished: run it again`);
    }
  }
  return missing;
}
