/**
 * What may be asked of `stress`, and the `StressOptions` it comes to: defaults filled in, names looked up,
 * user files loaded, and everything refused that is right field by field but makes no sense together. The
 * command line makes such a request of its flags, the library is handed one.
 */
import { randomInt } from 'node:crypto';
import { cpus } from 'node:os';
import { cpuFor, type CpuModel, cpuProblem } from '../arch/cpu-model.ts';
import { type BlockLevel, geometryOf, type Granule } from '../arch/geometry.ts';
import { machineProblem } from '../machine/layout.ts';
import type { Capability, TlbFlavour } from '../kernel/index.ts';
import type { Shard } from '../result/shard.ts';
import { changesSize } from '../port/kinds.ts';
import { machineNeeds, scenarioNamed, scenarioOfKind, suits } from '../scenarios/index.ts';
import {
  type AccessMode,
  type Delay,
  type Pattern,
  type Pinning,
  portfolioRepeats,
  recordsFor,
  SEED_MAX,
  STRESS_DEFAULTS,
  type StressOptions,
} from '../stress/plan/plan.ts';
import { budgetOf, isPortfolio, planGroups } from '../stress/plan/portfolio.ts';
import { rowCount } from '../stress/plan/shard-groups.ts';
import { servingOf } from './faults.ts';
import { type KernelFields, kernelProtocols } from './kernel.ts';
import { about, refusal, the } from './refusal.ts';
import {
  type Catalogue,
  selectMutants,
  selectNames,
  selectProtocols,
  type SelectedProtocol,
  sizeChanging,
} from './registry.ts';
import { refuseIdleRings } from './rings.ts';
import { mutantsBeside, protocolsBeside, stressAgainst } from './stress-against.ts';
import { sequenceText } from './sequence-text.ts';
import { refuseEmptyShard } from './shard.ts';

/** What is left out is chosen: see `STRESS_DEFAULTS`, and the portfolio. */
export interface StressRequest {
  /** Names of built-in ones, and paths of files. */
  readonly protocols?: readonly string[];
  /** Plain steps as one more protocol: "str 0; dsb ishst; …" (docs/sequences.md). */
  readonly sequence?: string;
  /** A kernel tree: its functions as protocols, all that it offers or those named (docs/kernels.md). */
  readonly kernel?: string;
  readonly kernelTlb?: TlbFlavour;
  readonly kernelCapabilities?: readonly Capability[];
  /**
   * What serves the faults of vCPUs beside protocols that coalesce: `model` (default), `kernel`, or a
   * protocol of kind map (docs/kernels.md).
   */
  readonly faults?: string;
  readonly mutants?: readonly string[];
  /** A second hypervisor's thread runs it at the same entries: a built-in one, a mutant or a file. */
  readonly against?: string;
  readonly scenarios?: readonly string[];
  /** Over the default CPU and the one each protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
  readonly granule?: Granule;
  readonly levels?: readonly BlockLevel[];
  readonly vcpus?: readonly number[];
  readonly rounds?: number;
  readonly repeats?: number;
  /** Per round. */
  readonly transitions?: number;
  readonly timeMs?: number;
  /** Ends at the first violation. */
  readonly failFast?: boolean;
  readonly seed?: number;
  readonly reorder?: boolean;
  readonly delays?: readonly Delay[];
  readonly access?: AccessMode;
  readonly pin?: Pinning;
  readonly storesPercent?: number;
  readonly pattern?: Pattern;
  readonly blocks?: number;
  /** Only this part of the campaign. */
  readonly shard?: Shard;
}

/** `argv`: what was typed to ask for it, for the result. */
export async function stressOptions(
  asked: StressRequest,
  catalogue: Catalogue,
  argv: readonly string[] = [],
): Promise<StressOptions> {
  const named = kernelProtocols(asked, asked.protocols, ({ kind }) => changesSize(kind));
  const request = named === undefined ? asked : { ...asked, protocols: named };
  refuseCombinations(request);
  const allMutants = await selectMutants(request.mutants ?? [], catalogue);
  const scenarios = selectNames('scenario', request.scenarios ?? [], catalogue.scenarios);
  const against = await stressAgainst(asked, scenarios);
  const { sequence, shard = null } = request;
  if (sequence !== undefined) about('sequence', () => sequenceText(sequence));
  const names = request.protocols ?? [];
  const chosen = await selectProtocols(names, sizeChanging(catalogue, names), sequence);
  const protocols = protocolsBeside(chosen, against);
  const isNamed = request.mutants?.includes('all') !== true;
  const mutants = mutantsBeside(allMutants, against, isNamed);
  refuseCpu(request, protocols);
  refuseUnsuited(scenarios, protocols);
  refuseIdleRings(request.cpu ?? {}, scenarios.length > 0 ? scenarios : usualScenarios(protocols));
  const serving = await servingOf(request, protocols, catalogue);
  const explicit = explicitIn(request);
  const timeMs = request.timeMs ?? (request.rounds === undefined ? STRESS_DEFAULTS.timeMs : null);
  const isTimed = timeMs !== null && request.rounds === undefined;
  const options: StressOptions = {
    protocols: protocols.map(({ ref }) => ref),
    mutants,
    ...(against === null ? {} : { against: against.source }),
    scenarios,
    cpuOverrides: request.cpu ?? {},
    granule: request.granule ?? STRESS_DEFAULTS.granule,
    levels: request.levels ?? STRESS_DEFAULTS.levels,
    vcpus: request.vcpus ?? STRESS_DEFAULTS.vcpus,
    rounds: request.rounds ?? null,
    repeats:
      request.repeats ?? (isTimed && isPortfolio({ explicit }) ? portfolioRepeats(timeMs) : 1),
    transitions: request.transitions ?? STRESS_DEFAULTS.transitions,
    timeMs,
    seed: request.seed ?? randomInt(SEED_MAX + 1),
    reorder: request.reorder ?? false,
    delays: request.delays ?? [],
    access: request.access ?? STRESS_DEFAULTS.access,
    pin: request.pin ?? { mode: 'auto' },
    storesPercent: request.storesPercent ?? STRESS_DEFAULTS.storesPercent,
    pattern: request.pattern ?? STRESS_DEFAULTS.pattern,
    blocks: request.blocks ?? STRESS_DEFAULTS.blocks,
    ...(shard === null ? {} : { shard }),
    ...(serving === null ? {} : { faults: serving.ref }),
    failFast: request.failFast ?? false,
    explicit,
    argv,
  };
  refuseMachines(options, protocols);
  if (request.repeats !== undefined) await refuseRepeats(options);
  if (shard !== null) refuseEmptyShard(shard, rowCount(await planGroups(options)), 'rows');
  return options;
}

/** Options that bear another name than what is asked for. */
const OPTION_OF: Readonly<Partial<Record<keyof StressRequest, keyof StressOptions>>> = {
  sequence: 'protocols',
  cpu: 'cpuOverrides',
  kernel: 'protocols',
  kernelTlb: 'protocols',
  kernelCapabilities: 'protocols',
};

function explicitIn(request: StressRequest): StressOptions['explicit'] {
  const fields = Object.keys(request) as Exclude<
    keyof StressRequest,
    'sequence' | 'cpu' | keyof KernelFields
  >[];
  return fields.flatMap((field) =>
    request[field] === undefined ? [] : (OPTION_OF[field] ?? field),
  );
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
  const problem = refusal`${the('repeats', options.repeats)} make ${starts} starts of threads, too
    many for ${budgetMs / 1000} s`;
  const timeMs = 1000 * Math.ceil((starts * MS_PER_START) / 1000);
  const enough = the('timeMs', timeMs);
  throw most > 1
    ? refusal`${problem}: give at least ${enough}, or ${the('repeats', most)}`
    : refusal`${problem}: give at least ${enough}, or no ${the('repeats')}`;
}

/** What a scenario's machine has beside the usual. */
const needsOf = (name: string): ReturnType<typeof machineNeeds> =>
  machineNeeds(scenarioNamed(name));

/** What runs where no scenario is named; nothing named at all is every protocol that changes sizes. */
function usualScenarios(protocols: readonly SelectedProtocol[]): readonly string[] {
  const kinds = protocols.map(({ protocol }) => protocol.kind);
  return [...new Set((kinds.length > 0 ? kinds : ['coalesce']).map(scenarioOfKind))];
}

/** Every combination of level and vCPU count is a machine of its own, and must fit into memory. */
function refuseMachines(options: StressOptions, protocols: readonly SelectedProtocol[]): void {
  const { granule, blocks, transitions } = options;
  const scenarios = options.scenarios.length > 0 ? options.scenarios : usualScenarios(protocols);
  for (const level of options.levels) {
    for (const vcpus of options.vcpus) {
      const transitionsMax = recordsFor(transitions, blocks);
      const usual = { granule, level, blocks, vcpus, transitionsMax };
      const machines = [usual, ...scenarios.map((s) => ({ ...usual, ...needsOf(s) }))];
      const problem = machines.map(machineProblem).find((each) => each !== null) ?? null;
      if (problem !== null)
        throw refusal`${the('levels', level)} ${the('vcpus', vcpus)}: ${problem}`;
    }
  }
}

/** What needs no file to be loaded to be seen. */
function refuseCombinations(request: StressRequest): void {
  const granule = request.granule ?? STRESS_DEFAULTS.granule;
  const { blockLevels } = geometryOf(granule);
  const level = (request.levels ?? []).find((wanted) => !blockLevels.includes(wanted));
  if (level !== undefined) {
    const which = blockLevels.join(' and ');
    throw refusal`${the('levels', level)} does not go with ${the('granule', granule)}, which has
      blocks at level ${which} only`;
  }
  const { rounds, repeats = 1 } = request;
  if (rounds !== undefined && repeats > rounds) {
    const both = refusal`${the('repeats', repeats)} share ${the('rounds', rounds)}`;
    throw refusal`${both}: give at least ${repeats} rounds, or fewer repeats`;
  }
  const sites = (request.delays ?? []).map((delay) => delay.site);
  const twice = sites.find((site, i) => sites.indexOf(site) !== i);
  if (twice !== undefined)
    throw refusal`${the('delays')}: ${twice} is there twice; give each site one delay`;
  if (request.pin?.mode === 'list') refusePins(request.pin.cpus);
}

function refusePins(wanted: readonly number[]): void {
  const there = cpus().length;
  const missing = wanted.find((cpu) => cpu >= there);
  if (missing === undefined) return;
  throw refusal`${the('pin')}: there is no CPU ${missing}; this machine has 0 to ${there - 1}`;
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
    const named = the('protocols', other.ref.name);
    const { kind } = other.protocol;
    if (changesSize(kind)) {
      throw refusal`${the('scenarios', scenario)} does not go with ${named}, which splits blocks:
        name protocols that coalesce`;
    }
    const own = the('scenarios', scenarioOfKind(kind));
    throw refusal`${the('scenarios', scenario)} does not go with ${named}, which is of kind ${kind}:
      it runs in ${own}`;
  }
}

/**
 * The CPU must be possible by itself and for each protocol, which may have been written for another
 * one.
 */
function refuseCpu({ cpu }: StressRequest, protocols: readonly SelectedProtocol[]): void {
  if (cpu === undefined) return;
  const alone = protocols.length === 0 ? cpuProblem(cpuFor({}, cpu)) : null;
  if (alone !== null) throw refusal`${the('cpu')}: ${alone}`;
  for (const { protocol } of protocols) {
    const problem = cpuProblem(cpuFor(protocol, cpu));
    if (problem !== null) throw refusal`${the('cpu')}: for protocol ${protocol.name} ${problem}`;
  }
}
