/**
 * `stress --resume FILE`: the earlier result, checked, and the command line that goes on with it. A
 * resumed campaign is the one that was planned: its flags are those of the file, on the machine and
 * by the program that made it.
 */
import path from 'node:path';
import { isComplete } from '../../../result/campaign-state.ts';
import { environmentDifference } from '../../../result/merge/campaign.ts';
import type { StressFile } from '../../../result/read.ts';
import { shardText } from '../../../result/shard.ts';
import { fingerprintsOf } from '../../../stress/campaign/campaign-record.ts';
import { machineInfo } from '../../../stress/process/machine-info.ts';
import type { StressOptions } from '../../../stress/plan/plan.ts';
import { planGroups } from '../../../stress/plan/portfolio.ts';
import { repeated } from '../../../stress/plan/repeats.ts';
import type { Earlier } from '../../../result/stress.ts';
import { planMismatch } from '../../../stress/plan/resume.ts';
import { groupsOfShard } from '../../../stress/plan/shard-groups.ts';
import { parseCommandLine } from '../../parse.ts';
import { shortPath, userPath } from '../../../package/paths.ts';
import { looksLikePath } from '../../../request/protocol-file.ts';
import type { Catalogue } from '../../../request/registry.ts';
import { readResultFiles } from '../../files/result-files.ts';
import { shardOf } from '../../flags/shard.ts';
import { UsageError } from '../../../request/usage-error.ts';
import { packageVersion } from '../../../result/version.ts';
import { STRESS_FLAGS, type StressFlags, type StressInput, stressOptionsOf } from './flags.ts';

type FlagName = keyof StressFlags;

export interface Resumption {
  readonly earlier: Earlier;
  readonly isComplete: boolean;
  readonly options: StressOptions;
}

/** Flags that say nothing of what is measured: those of the file do not count, these do. */
const OF_THIS_RUN: ReadonlySet<FlagName> = new Set(['resume', 'json', 'out', 'quiet', 'no-color']);

/** Throws a UsageError unless the file can be gone on with, under these flags, here. */
export async function resumption(
  name: string,
  input: StressInput,
  catalogue: Catalogue,
): Promise<Resumption> {
  const [result] = readResultFiles('stress --resume', [name]);
  const refuse = (why: string): never => {
    throw new UsageError(`stress --resume: ${name}: ${why}`);
  };
  if (result?.command !== 'stress')
    return refuse(`a result of ${result?.command}, which cannot be resumed; name one of stress`);
  if (result.merged !== undefined)
    return refuse('a merged result has no missing rounds of its own; resume the parts it is of');
  const { version, campaign } = result;
  if (version !== packageVersion())
    return refuse(
      `made by version ${version}, this is ${packageVersion()}; resume it with that one`,
    );
  if (!isResumable(result) || campaign === undefined)
    return refuse('it does not say how far it came; start anew');
  const machine = environmentDifference(result.machine, machineInfo());
  if (machine !== null)
    return refuse(
      `measured on another machine (${machine}), whose figures cannot be pooled with this one's; ` +
        'start anew here, and merge shows both',
    );
  const recorded = recordedFlags(result, name);
  refuseContradiction(recorded, input.flags, result, name);
  const { time } = input.flags;
  const flags: StressFlags = { ...recorded, ...(time === undefined ? {} : { time }) };
  const planOf = (of: StressFlags): Promise<StressOptions> =>
    stressOptionsOf({ flags: of, argv: result.argv }, catalogue);
  // What was started stays as it was planned, however much time there is now.
  const { repeats } = await planOf(recorded);
  const { repeats: _repeats, ...others } = flags;
  const planned = { ...(await planOf(others)), repeats };
  refuseChangedFiles(planned, result, name);
  const once = groupsOfShard(await planGroups(planned), planned.shard ?? null);
  const groups = repeated(once, planned.repeats);
  const mismatch = planMismatch(groups, result);
  if (mismatch !== null) return refuse(`${mismatch}; start anew`);
  // The campaign's own time, said again, is no time of its own for what is missing.
  const ownTime = time !== undefined && time !== recorded.time;
  const options = { ...planned, resume: { earlier: result, ownTime } };
  return { earlier: result, isComplete: isComplete(campaign), options };
}

function isResumable(result: StressFile): result is Earlier {
  return result.campaign !== undefined && result.seed !== null;
}

/** What the campaign was asked for, with what was found out then in place of what may differ now. */
function recordedFlags(earlier: Earlier, name: string): StressFlags {
  const parsed = parsedFlags(earlier, name);
  const measured = Object.fromEntries(
    Object.entries(parsed).filter(([id]) => !OF_THIS_RUN.has(id as FlagName)),
  ) as StressFlags;
  const files = earlier.campaign.files.map((file) => file.path);
  const protocol = measured.protocol?.map((text) =>
    looksLikePath(text) ? (files.shift() ?? text) : text,
  );
  return {
    ...measured,
    ...(protocol === undefined ? {} : { protocol }),
    seed: earlier.seed,
    ...(earlier.shard === undefined ? {} : { shard: earlier.shard }),
  };
}

function parsedFlags({ argv }: Earlier, name: string): StressFlags {
  try {
    return parseCommandLine('stress', STRESS_FLAGS, argv).flags;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `stress --resume: ${name}: its flags are not those of stress: ${error.message}`,
    );
  }
}

/** A flag may be said again; it may not say something else. */
function refuseContradiction(
  recorded: StressFlags,
  given: StressFlags,
  earlier: Earlier,
  name: string,
): void {
  for (const id of Object.keys(STRESS_FLAGS) as FlagName[]) {
    if (given[id] === undefined || OF_THIS_RUN.has(id) || id === 'time') continue;
    if (comparable(id, given) === comparable(id, recorded)) continue;
    const flag = `--${id}`;
    const said = recordedText(id, recorded, earlier);
    throw new UsageError(
      `${flag} contradicts --resume: ${name} was measured ${said}; ` +
        `leave ${flag} out, or start anew without --resume`,
    );
  }
}

function comparable(id: FlagName, flags: StressFlags): string | undefined {
  if (id === 'shard') {
    const shard = shardOf(flags.shard);
    return shard === null ? undefined : shardText(shard);
  }
  const value =
    id === 'protocol'
      ? flags.protocol?.map((text) => (looksLikePath(text) ? userPath(text) : text))
      : flags[id];
  return JSON.stringify(value);
}

function recordedText(id: FlagName, recorded: StressFlags, { argv, seed, shard }: Earlier): string {
  const flag = `--${id}`;
  if (recorded[id] === undefined) return `without ${flag}`;
  if (id === 'seed') return `with ${flag} ${seed}`;
  if (id === 'shard' && shard !== undefined) return `with ${flag} ${shardText(shard)}`;
  const values = argv.flatMap((arg, i) => {
    if (arg.startsWith(`${flag}=`)) return arg.slice(flag.length + 1);
    return argv[i - 1] === flag && !arg.startsWith('--') ? arg : [];
  });
  return `with ${[flag, values.join(',')].join(' ').trimEnd()}`;
}

/** Rounds of two versions of a protocol are not rounds of one. */
function refuseChangedFiles(options: StressOptions, earlier: Earlier, name: string): void {
  const now = new Map(fingerprintsOf(options).map((file) => [file.path, file.sha256]));
  const changed = earlier.campaign.files.find(({ path: file, sha256 }) => now.get(file) !== sha256);
  if (changed === undefined) return;
  throw new UsageError(
    `stress --resume: ${name}: ${shortPath(path.normalize(changed.path))} has changed since; ` +
      'put it back, or start anew',
  );
}
