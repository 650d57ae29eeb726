/** What one `explore` command runs: protocols and mutants, CPUs, levels, numbers of vCPUs. */
import { assertNever } from '../arch/assert.ts';
import { cpuFor, type CpuModel, cpuProblem } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import type { ProtocolSource } from '../explore/protocol/index.ts';
import {
  ACCESSES_EXPLORED,
  type ExploredScenario,
  SCENARIOS_EXPLORED,
  VCPUS_EXPLORED_MAX,
} from '../explore/protocol/bounds.ts';
import { unsupportedReason } from '../explore/protocol/cpu.ts';
import { loaderOf, SEQUENCE } from '../loaders/index.ts';
import { type Catch, MUTANTS } from '../mutants/index.ts';
import type { Protocol } from '../port/protocol.ts';
import { commandText, packSequence, parseSequence, type Sequence } from '../sequence/index.ts';
import type { ProtocolRef } from '../stress/plan.ts';
import type { CommandInput } from './command.ts';
import { parseCpu } from './cpu-knobs.ts';
import { kernelProtocols } from './kernel-flags.ts';
import { shortPath } from './paths.ts';
import { BUILT_IN, selectNames, selectProtocols } from './registry.ts';
import { UsageError } from './usage-error.ts';

/** What a mutant brings. */
type Settings = Pick<Catch, 'cpu' | 'level' | 'vcpus' | 'scenario'>;

export interface Subject {
  readonly protocol: Protocol;
  readonly source: ProtocolSource;
  readonly mutant: string | null;
  /** Of a plain sequence, of which nobody said what CPUs it is meant for; else null. */
  readonly sequence: Sequence | null;
  /** Of a mutant: under which it must be caught. Flags override them. */
  readonly settings: Settings;
  /** Set where a broken claim that the protocol is known for does not turn the verdict. */
  readonly exhibit: string | null;
}

/** One search. */
export interface Search {
  readonly subject: Subject;
  readonly cpu: CpuModel;
  readonly level: BlockLevel;
  readonly vcpus: number;
  readonly scenario: ExploredScenario;
  readonly accesses: number;
}

/**
 * CPUs of `--matrix`: every one that makes a difference to some protocol. Two PEs of different level
 * need two vCPUs to be two.
 */
const MATRIX_CPUS = [
  'bbm=0',
  'bbm=0,multihit=amalgamate',
  'bbm=1',
  'bbm=1,nt=conflict',
  'bbm=1,nt=fault',
  'bbm=1,nt=ignored',
  'bbm=2,multihit=abort',
  'bbm=2,multihit=old',
  'bbm=3,multihit=new',
  'bbm=2/1,multihit=abort',
] as const;

/** CPUs of --ablate: one of each BBM level. */
const ABLATION_CPUS = ['bbm=0', 'bbm=1', 'bbm=2', 'bbm=3,multihit=new'] as const;
/** What columns differ in; the other knobs are those of the flags and of the protocol. */
const MATRIX_KNOBS: ReadonlySet<string> = new Set(['bbm', 'nt', 'multihit']);

const DEFAULT_SCENARIOS: readonly ExploredScenario[] = ['adjust-populated'];

export async function subjectsOf({ flags }: CommandInput): Promise<readonly Subject[]> {
  const mutants = selectNames('mutant', flags.mutant ?? [], BUILT_IN.mutants);
  const isNamed = mutants.length > 0 || flags.sequence !== undefined;
  const named = kernelProtocols(flags, flags['explore-protocol']);
  const wanted = named ?? (isNamed ? [] : ['all']);
  const protocols = await selectProtocols(wanted, BUILT_IN, flags.sequence);
  const subjects = protocols.map(({ ref, protocol }): Subject => ({
    protocol,
    source: sourceOf(ref),
    mutant: null,
    sequence: sequenceOf(ref),
    settings: {},
    exhibit: ref.named ? null : (protocol.exhibit ?? null),
  }));
  for (const name of mutants) {
    const mutant = MUTANTS.find((m) => m.name === name);
    if (mutant?.seed.kind === 'protocol') {
      const { protocol } = mutant.seed;
      const source: ProtocolSource = { kind: 'mutant', name, text: '' };
      const settings = mutant.caughtBy.find(({ engine }) => engine === 'explore') ?? {};
      subjects.push({ protocol, source, mutant: name, sequence: null, settings, exhibit: null });
    } else if (flags.mutant?.includes(name)) {
      throw new UsageError(
        `--mutant: ${name} is a bug of the machine, which explore does not simulate; try it with stress`,
      );
    }
  }
  return subjects;
}

function sequenceOf(ref: ProtocolRef): Sequence | null {
  if (ref.from === 'sequence') return parseSequence(ref.text);
  const isFile = ref.from === 'file' && loaderOf(ref.path) === SEQUENCE;
  return isFile ? parseSequence(SEQUENCE.text(ref.path)) : null;
}

/** Is a search of `subject` one of many, as no CPU was named? */
export function isOpen({ flags }: CommandInput, { sequence }: Subject): boolean {
  const isAsked = flags.cpu !== undefined || flags.matrix === true || flags.ablate === true;
  return sequence !== null && !isAsked;
}

export function sourceOf(ref: ProtocolRef): ProtocolSource {
  switch (ref.from) {
    case 'built-in':
      return { kind: 'built-in', name: ref.name, text: '' };
    case 'file':
      return fileSource(ref.path);
    case 'sequence':
      return { kind: 'sequence', name: packSequence(commandText(ref.text)), text: '' };
    default:
      return assertNever(ref);
  }
}

export function fileSource(path: string): ProtocolSource {
  return { kind: 'file', name: shortPath(path), text: loaderOf(path)?.text(path) ?? '' };
}

/** Throws a usage error for a CPU that cannot be, or not in the scenario. */
export function searchesOf(input: CommandInput, subjects: readonly Subject[]): readonly Search[] {
  const { flags } = input;
  const column = Object.keys(flags.cpu ?? {}).find((knob) => MATRIX_KNOBS.has(knob));
  if (flags.matrix === true && column !== undefined) {
    throw new UsageError(
      `--cpu ${column} does not go with --matrix, whose columns are bbm, nt and multihit; the other ` +
        'knobs do',
    );
  }
  const levels = flags['explore-level'];
  const searches = (levels ?? [null]).flatMap((wanted) =>
    subjects.flatMap((subject) =>
      cpusFor(input, subject).flatMap((cpu) =>
        (flags['explore-vcpus'] ?? [subject.settings.vcpus ?? vcpusFor(cpu)]).flatMap((vcpus) =>
          (flags['explore-scenario'] ?? scenariosOf(subject)).map((scenario) => ({
            subject,
            cpu,
            level: wanted ?? subject.settings.level ?? 2,
            vcpus,
            scenario,
            accesses: flags.accesses ?? ACCESSES_EXPLORED,
          })),
        ),
      ),
    ),
  );
  for (const { cpu, scenario } of searches) {
    const problem = unsupportedReason(cpu, scenario);
    if (problem !== null) throw new UsageError(problem);
  }
  return searches;
}

function scenariosOf({ settings }: Subject): readonly ExploredScenario[] {
  const own = SCENARIOS_EXPLORED.find((name) => name === settings.scenario);
  return own === undefined ? DEFAULT_SCENARIOS : [own];
}

/** One vCPU for each PE that is named, so that none goes untried. */
function vcpusFor({ bbm }: CpuModel): number {
  return Math.min(bbm.length, VCPUS_EXPLORED_MAX);
}

function cpusFor(input: CommandInput, subject: Subject): readonly CpuModel[] {
  const { flags } = input;
  const { protocol, settings } = subject;
  const isPlain = subject.sequence !== null;
  const texts =
    flags.matrix === true || isOpen(input, subject)
      ? MATRIX_CPUS
      : flags.ablate === true && flags.cpu === undefined
        ? ABLATION_CPUS
        : null;
  if (texts !== null) {
    const { bbm: _bbm, nt: _nt, multihit: _multihit, ...declared } = protocol.cpu ?? {};
    const rest = { ...declared, ...settings.cpu, ...flags.cpu };
    const cpus = texts.map((text) => cpuFor({}, { ...rest, ...parseCpu(text) }));
    return cpus.filter(({ bbm }) => isPlain || Math.min(...bbm) >= leastBbm(protocol));
  }
  const cpu = cpuFor(protocol, { ...settings.cpu, ...flags.cpu });
  const problem = cpuProblem(cpu);
  if (problem !== null) throw new UsageError(`--cpu: for protocol ${protocol.name} ${problem}`);
  return [cpu];
}

/**
 * A protocol is meant for the level it was written for and those above it. Never to break an entry
 * takes FEAT_BBM at least (R_KFLJB).
 */
function leastBbm({ cpu, claims }: Protocol): number {
  return Math.min(...(cpu?.bbm ?? [claims.neverInvalid === true ? 1 : 0]));
}
