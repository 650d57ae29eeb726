/**
 * From the flags of `stress` to `StressOptions`: defaults filled in, names looked up, user files
 * loaded, and everything refused that is right flag by flag but makes no sense together.
 */
import { randomInt } from 'node:crypto';
import { cpus } from 'node:os';
import { cpuFor, cpuProblem } from '../arch/cpu-model.ts';
import { geometryOf } from '../arch/geometry.ts';
import { machineProblem } from '../machine/layout.ts';
import {
  portfolioRepeats,
  recordsFor,
  SEED_MAX,
  STRESS_DEFAULTS,
  type StressFlag,
  type StressOptions,
} from '../stress/plan.ts';
import type { CommandInput } from './command.ts';
import { kernelProtocols } from './kernel-flags.ts';
import type { Flags } from './options.ts';
import { type Catalogue, selectNames, selectProtocols, type SelectedProtocol } from './registry.ts';
import { machineNeeds, scenarioNamed, suits } from '../scenarios/index.ts';
import { budgetOf, isPortfolio, planGroups } from '../stress/portfolio.ts';
import { rowCount } from '../stress/shard-groups.ts';
import { refuseEmptyShard, shardOf } from './shard.ts';
import { UsageError } from './usage-error.ts';

/** Typed as a record so that a flag missing here is a type error. */
const STRESS_FLAGS: Readonly<Record<StressFlag, true>> = {
  protocol: true,
  sequence: true,
  mutant: true,
  scenario: true,
  cpu: true,
  granule: true,
  level: true,
  vcpus: true,
  rounds: true,
  repeats: true,
  transitions: true,
  time: true,
  seed: true,
  reorder: true,
  delay: true,
  access: true,
  pin: true,
  stores: true,
  pattern: true,
  blocks: true,
};

export async function stressOptions(
  input: CommandInput,
  catalogue: Catalogue,
): Promise<StressOptions> {
  const named = kernelProtocols(input.flags, input.flags.protocol);
  const flags = { ...input.flags, ...(named === undefined ? {} : { protocol: named }) };
  refuseCombinations(flags);
  const mutants = selectNames('mutant', flags.mutant ?? [], catalogue.mutants);
  const scenarios = selectNames('scenario', flags.scenario ?? [], catalogue.scenarios);
  const protocols = await selectProtocols(flags.protocol ?? [], catalogue, flags.sequence);
  refuseCpu(flags, protocols);
  refuseUnsuited(scenarios, protocols);
  const shard = shardOf(flags.shard);
  const explicit = (Object.keys(STRESS_FLAGS) as StressFlag[]).filter(
    (flag) => flags[flag] !== undefined,
  );
  const timeMs = flags.time ?? (flags.rounds === undefined ? STRESS_DEFAULTS.timeMs : null);
  const isTimed = timeMs !== null && flags.rounds === undefined;
  const options: StressOptions = {
    protocols: protocols.map(({ ref }) => ref),
    mutants,
    scenarios,
    cpuOverrides: flags.cpu ?? {},
    granule: flags.granule ?? STRESS_DEFAULTS.granule,
    levels: flags.level ?? STRESS_DEFAULTS.levels,
    vcpus: flags.vcpus ?? STRESS_DEFAULTS.vcpus,
    rounds: flags.rounds ?? null,
    repeats: flags.repeats ?? (isTimed && isPortfolio({ explicit }) ? portfolioRepeats(timeMs) : 1),
    transitions: flags.transitions ?? STRESS_DEFAULTS.transitions,
    timeMs,
    seed: flags.seed ?? randomInt(SEED_MAX + 1),
    reorder: flags.reorder ?? false,
    delays: flags.delay ?? [],
    access: flags.access ?? STRESS_DEFAULTS.access,
    pin: flags.pin ?? { mode: 'auto' },
    storesPercent: flags.stores ?? STRESS_DEFAULTS.storesPercent,
    pattern: flags.pattern ?? STRESS_DEFAULTS.pattern,
    blocks: flags.blocks ?? STRESS_DEFAULTS.blocks,
    ...(shard === null ? {} : { shard }),
    failFast: flags['fail-fast'] ?? false,
    quiet: flags.quiet ?? false,
    explicit,
    argv: input.argv,
  };
  refuseMachines(options);
  if (flags.repeats !== undefined) await refuseRepeats(options);
  if (shard !== null) refuseEmptyShard(shard, rowCount(await planGroups(options)), 'rows');
  return options;
}

/** Starting a group's threads takes half of this, on a quiet machine. */
const MS_PER_START = 400;

/** Every start takes its time, of which none may be left to measure in. */
async function refuseRepeats(options: StressOptions): Promise<void> {
  const groups = await planGroups(options);
  const budgetMs = budgetOf(options, groups);
  const starts = groups.length * options.repeats;
  if (budgetMs === null || starts * MS_PER_START <= budgetMs) return;
  const most = Math.floor(budgetMs / MS_PER_START / groups.length);
  throw new UsageError(
    `--repeats ${options.repeats} make ${starts} starts of threads, too many for ${budgetMs / 1000} s: ` +
      `give at least --time ${Math.ceil((starts * MS_PER_START) / 1000)}s, or ` +
      (most > 1 ? `--repeats ${most}` : 'no --repeats'),
  );
}

/** What a scenario's machine has beside the usual. */
const needsOf = (name: string): ReturnType<typeof machineNeeds> =>
  machineNeeds(scenarioNamed(name));

/** Every combination of level and vCPU count is a machine of its own, and must fit into memory. */
function refuseMachines(options: StressOptions): void {
  const { granule, blocks, transitions } = options;
  for (const level of options.levels) {
    for (const vcpus of options.vcpus) {
      const transitionsMax = recordsFor(transitions, blocks);
      const usual = { granule, level, blocks, vcpus, transitionsMax };
      const machines = [usual, ...options.scenarios.map((s) => ({ ...usual, ...needsOf(s) }))];
      const problem = machines.map(machineProblem).find((each) => each !== null) ?? null;
      if (problem !== null) throw new UsageError(`--level ${level} --vcpus ${vcpus}: ${problem}`);
    }
  }
}

/** What needs no file to be loaded to be seen. */
function refuseCombinations(flags: Flags): void {
  const granule = flags.granule ?? STRESS_DEFAULTS.granule;
  const { blockLevels } = geometryOf(granule);
  const level = (flags.level ?? []).find((wanted) => !blockLevels.includes(wanted));
  if (level !== undefined) {
    throw new UsageError(
      `--level ${level} does not go with --granule ${granule}, ` +
        `which has blocks at level ${blockLevels.join(' and ')} only`,
    );
  }
  const { rounds, repeats = 1 } = flags;
  if (rounds !== undefined && repeats > rounds)
    throw new UsageError(
      `--repeats ${repeats} share --rounds ${rounds}: give at least ${repeats} rounds, or fewer repeats`,
    );
  const sites = (flags.delay ?? []).map((delay) => delay.site);
  const twice = sites.find((site, i) => sites.indexOf(site) !== i);
  if (twice !== undefined)
    throw new UsageError(`--delay: ${twice} is there twice; give each site one delay`);
  if (flags.pin?.mode === 'list') refusePins(flags.pin.cpus);
}

function refusePins(wanted: readonly number[]): void {
  const there = cpus().length;
  const missing = wanted.find((cpu) => cpu >= there);
  if (missing !== undefined) {
    throw new UsageError(`--pin: there is no CPU ${missing}; this machine has 0 to ${there - 1}`);
  }
}

/** Of `all` the engine takes what suits; a protocol that was named would not be run at all. */
function refuseUnsuited(
  scenarios: readonly string[],
  protocols: readonly SelectedProtocol[],
): void {
  for (const scenario of scenarios) {
    const other = protocols.find(
      ({ ref, protocol }) => ref.named && !suits(scenarioNamed(scenario), protocol),
    );
    if (other === undefined) continue;
    throw new UsageError(
      `--scenario ${scenario} does not go with --protocol ${other.ref.name}, which splits blocks: ` +
        'name protocols that coalesce',
    );
  }
}

/**
 * The CPU must be possible by itself and for each protocol, which may have been written for another
 * one.
 */
function refuseCpu(flags: Flags, protocols: readonly SelectedProtocol[]): void {
  if (flags.cpu === undefined) return;
  const alone = protocols.length === 0 ? cpuProblem(cpuFor({}, flags.cpu)) : null;
  if (alone !== null) throw new UsageError(`--cpu: ${alone}`);
  for (const { protocol } of protocols) {
    const problem = cpuProblem(cpuFor(protocol, flags.cpu));
    if (problem !== null) throw new UsageError(`--cpu: for protocol ${protocol.name} ${problem}`);
  }
}
