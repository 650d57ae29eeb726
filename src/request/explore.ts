/**
 * What may be asked of `explore`, and the searches it comes to: protocols and mutants, CPUs, levels,
 * numbers of vCPUs. The command line makes such a request of what is typed, the library is handed one.
 */
import { availableParallelism } from 'node:os';
import { cpuFor, type CpuModel, cpuProblem, TLBI_COMPLETIONS } from '../arch/cpu-model.ts';
import type { BlockLevel, SmallGranule } from '../arch/geometry.ts';
import {
  type Against,
  installChanceGuards,
  programsFor,
  type ProtocolSource,
} from '../explore/protocol/index.ts';
import {
  ACCESSES_EXPLORED,
  EXPLORE_BOUNDS,
  type ExploredScenario,
  SCENARIOS_EXPLORED,
  VCPUS_EXPLORED_MAX,
} from '../explore/protocol/machine/bounds.ts';
import { unsupportedReason } from '../explore/protocol/cpu.ts';
import type { Regions } from '../explore/protocol/machine/memory-map.ts';
import type { Capability, TlbFlavour } from '../kernel/index.ts';
import { loaderOf, SEQUENCE } from '../loaders/index.ts';
import { type Catch, subjectOf } from '../mutants/mutant.ts';
import type { Protocol } from '../port/protocol.ts';
import { parseSequence, type Sequence } from '../sequence/index.ts';
import type { ExplorePart, Repaired } from '../result/explore.ts';
import { itemsOfShard, type Shard } from '../result/shard.ts';
import type { ProtocolRef } from '../stress/plan/plan.ts';
import { againstOf, subjectsBeside } from './against.ts';
import { parseCpu } from './cpu-knobs.ts';
import { kernelProtocols } from './kernel.ts';
import { REPAIR_OF, REPAIRED_ERRATA, repairedSubject } from './repaired.ts';
import { BUILT_IN, selectMutants, selectProtocols, sizeChanging } from './registry.ts';
import { about, refusal, the } from './refusal.ts';
import { refuseExploredRings } from './rings.ts';
import { sequenceText } from './sequence-text.ts';
import { refuseEmptyShard } from './shard.ts';
import { sourceOf } from './sources.ts';

export interface ExploreRequest {
  /** Protocols themselves, names of built-in ones, and paths of files; all that are built in if absent. */
  readonly protocols?: readonly (Protocol | string)[];
  /** Plain steps as one more protocol: "str 0; dsb ishst; …" (docs/sequences.md). */
  readonly sequence?: string;
  /** A kernel tree: its functions as protocols, all that it offers or those named (docs/kernels.md). */
  readonly kernel?: string;
  readonly kernelTlb?: TlbFlavour;
  readonly kernelCapabilities?: readonly Capability[];
  readonly mutants?: readonly string[];
  /**
   * One more protocol, by itself, by name (of a mutant, too) or by path: a second hypervisor runs it on
   * the same entry at the same time.
   */
  readonly against?: Protocol | string;
  /**
   * What serves the fault of a vCPU beside protocols that coalesce: `model` (default: it ends the vCPU's
   * program), `kernel`, or a protocol of kind map, by name or path (docs/kernels.md).
   */
  readonly faults?: string;
  /** Over the default CPU and the one each protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
  readonly levels?: readonly BlockLevel[];
  /** `tiny` (default): tables of two entries; `tiny4`: of four, so as many pages of level 2. */
  readonly granule?: SmallGranule;
  /** Entries beside each other that are changed, one after the other. */
  readonly regions?: Regions;
  readonly vcpus?: readonly number[];
  readonly scenarios?: readonly ExploredScenario[];
  /** Of each vCPU at most. */
  readonly accesses?: number;
  /** Each step left out, weakened and moved in turn. */
  readonly ablate?: boolean;
  /** On every CPU that makes a difference to some protocol. */
  readonly matrix?: boolean;
  /** On each of its CPUs without an erratum of TLBI completion, and with each (docs/errata.md). */
  readonly errata?: boolean;
  /** For one search. */
  readonly timeMs?: number;
  /** For the tables of one search, in place of the bound of states. */
  readonly memoryBytes?: number;
  /** Only this part of the searches. */
  readonly shard?: Shard;
  /** Threads at most; one for each CPU if absent. */
  readonly jobs?: number;
}

/** What one search may cost. */
export interface SearchLimits {
  readonly timeMs: number;
  /** Of its tables. Absent: as many as the bound of states makes. */
  readonly memoryBytes?: number;
}

/** A request, looked up and checked: what is run. */
export interface ExplorePlan {
  readonly searches: readonly Search[];
  /** For one search. */
  readonly limits: SearchLimits;
  readonly ablate: boolean;
  readonly shard: Shard | null;
  readonly jobs: number;
  /** What is left out of what was asked for, a sentence each. */
  readonly remarks: readonly string[];
  /** What it was made of: threads make it again. */
  readonly request: ExploreRequest;
}

/** What a mutant brings. */
type Settings = Pick<Catch, 'cpu' | 'level' | 'vcpus' | 'scenario'>;

export interface Subject {
  readonly protocol: Protocol;
  /** Null for a protocol that is here and nowhere else. */
  readonly source: ProtocolSource | null;
  /** Absolute, of a protocol from a file. */
  readonly file?: string;
  readonly mutant: string | null;
  /** Absent: nobody else changes the entry. */
  readonly against?: Against;
  /** Of a plain sequence, of which nobody said what CPUs it is meant for; else null. */
  readonly sequence: Sequence | null;
  /** Of a mutant: under which it must be caught. What is asked for overrides them. */
  readonly settings: Settings;
  /** Set where a broken claim that the protocol is known for does not turn the verdict. */
  readonly exhibit: string | null;
  /** Absent: it is as it is. */
  readonly repaired?: Repaired;
}

/** One search. */
export interface Search {
  readonly subject: Subject;
  readonly cpu: CpuModel;
  readonly level: BlockLevel;
  readonly granule: SmallGranule;
  readonly regions: Regions;
  readonly vcpus: number;
  readonly scenario: ExploredScenario;
  readonly accesses: number;
  /** Absent: all of it. */
  readonly part?: ExplorePart;
}

/**
 * CPUs of a matrix: every one that makes a difference to some protocol. Two PEs of different level
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

/** CPUs to ablate on: one of each BBM level. */
const ABLATION_CPUS = ['bbm=0', 'bbm=1', 'bbm=2', 'bbm=3,multihit=new'] as const;
/** What columns differ in; the other knobs are those asked for and of the protocol. */
const MATRIX_KNOBS: ReadonlySet<string> = new Set(['bbm', 'nt', 'multihit']);

const DEFAULT_SCENARIOS: readonly ExploredScenario[] = ['adjust-populated'];

export async function explorePlan(request: ExploreRequest): Promise<ExplorePlan> {
  // Before protocol files are loaded: they may keep what they take.
  installChanceGuards();
  const { shard = null, timeMs = EXPLORE_BOUNDS.timeMs, memoryBytes, ablate = false } = request;
  const limits = { timeMs, ...(memoryBytes !== undefined && { memoryBytes }) };
  const all = searchesOf(request, await subjectsOf(request));
  const searches = searchesOfShard(request, all, shard);
  const { jobs = availableParallelism() } = request;
  const left = [...matrixLeavesOut(request), ...(await leftOutOf(request))];
  const remarks = [...left, ...pesWithoutVcpu(searches)];
  return { searches, limits, ablate, shard, jobs, remarks, request };
}

/** Built-in protocols that are asked for with all the others, and are not among them. */
function matrixLeavesOut(request: ExploreRequest): readonly string[] {
  const { protocols } = knownTo(request);
  const left = BUILT_IN.protocols.filter((each) => !protocols.includes(each));
  if (left.length === 0) return [];
  return [`left out unless --protocol names them: ${left.map(({ name }) => name).join(', ')}`];
}

/** Who names several PEs may have meant that a vCPU runs on each. */
function pesWithoutVcpu(searches: readonly Search[]): readonly string[] {
  const few = searches.filter(({ cpu, vcpus }) => cpu.bbm.length > vcpus);
  const said = few.map(({ cpu, vcpus }) => {
    const on =
      vcpus === 1 ? 'the one vCPU runs on the first PE' : `vCPUs run on the first ${vcpus} PEs`;
    return `bbm=${cpu.bbm.join('/')}: ${on}; of the others protocols see the level alone`;
  });
  return [...new Set(said)];
}

/** Of all seeded bugs those of the machine: one that is named is refused, all that are not are said. */
async function leftOutOf({ mutants }: ExploreRequest): Promise<readonly string[]> {
  if (mutants?.includes('all') !== true) return [];
  const all = await selectMutants(mutants, BUILT_IN);
  const left = all.filter((mutant) => subjectOf(mutant, 'explore').protocol === null);
  if (left.length === 0) return [];
  const names = left.map(({ name }) => name).join(', ');
  return [
    `${left.length} of ${all.length} seeded bugs are left out: explore does not simulate what they are in; ` +
      `npm run selftest looks for them by stress: ${names}`,
  ];
}

/** Whole ones; where there are more shards than searches, stretches of one or two. */
function searchesOfShard(
  request: ExploreRequest,
  all: readonly Search[],
  shard: Shard | null,
): readonly Search[] {
  if (shard === null || shard.count <= all.length) return itemsOfShard(all, shard);
  // A change is tried on a whole search, and what a sequence lacks is what no execution misses.
  const isSplit = request.ablate !== true && all.every(({ subject }) => !isOpen(request, subject));
  const most = isSplit ? Math.min(...all.map(guestsOf)) : 0;
  if (shard.count > most) {
    refuseEmptyShard(shard, Math.max(most, all.length), isSplit ? 'guest programs' : 'searches');
  }
  const { index, count } = shard;
  // Each search has `count` parts, and each shard as many of them as there are searches.
  const cut = (at: number, search: number): number =>
    Math.min(count, Math.max(0, at * all.length - search * count));
  return all.flatMap((search, i) => {
    const part = { from: cut(index - 1, i), to: cut(index, i), of: count };
    if (part.from === part.to) return [];
    return part.to - part.from === count ? [search] : [{ ...search, part }];
  });
}

/** Guest programs of each start. */
function guestsOf({ subject: { protocol }, cpu, ...asked }: Search): number {
  const { level, granule, regions, scenario, accesses } = asked;
  return programsFor({ protocol, cpu, level, granule, regions, scenario, accesses }).length;
}

export async function subjectsOf(request: ExploreRequest): Promise<readonly Subject[]> {
  const against = await againstOf(request);
  const subjects = await firstSubjectsOf(request);
  if (against === null) return subjects;
  const { protocols, mutants } = request;
  const isNamed = ({ mutant }: Subject): boolean =>
    mutant === null
      ? protocols !== undefined && !protocols.includes('all')
      : mutants?.includes('all') !== true;
  return subjectsBeside(subjects, against, isNamed, request);
}

/** Protocols that are asked for by name, or themselves; all where nothing else is asked for. */
function wantedOf(request: ExploreRequest): readonly (Protocol | string)[] {
  const { mutants = [], sequence, protocols } = request;
  const isNamed = mutants.length > 0 || sequence !== undefined;
  return kernelProtocols(request, protocols) ?? (isNamed ? [] : ['all']);
}

const namesIn = (wanted: readonly (Protocol | string)[]): readonly string[] =>
  wanted.filter((each) => typeof each === 'string');

/** The built-in protocols that a name, or `all`, may stand for. */
function knownTo(request: ExploreRequest): Pick<typeof BUILT_IN, 'protocols'> {
  // What the columns of a matrix differ in makes a difference to changes of size.
  return request.matrix === true ? sizeChanging(BUILT_IN, namesIn(wantedOf(request))) : BUILT_IN;
}

/** Of two protocols at once the first ones. */
async function firstSubjectsOf(request: ExploreRequest): Promise<readonly Subject[]> {
  const { sequence } = request;
  if (sequence !== undefined) about('sequence', () => sequenceText(sequence));
  const mutants = await selectMutants(request.mutants ?? [], BUILT_IN);
  const wanted = wantedOf(request);
  const protocols = await selectProtocols(namesIn(wanted), knownTo(request), sequence);
  const subjects = protocols.map(({ ref, protocol }): Subject => ({
    protocol,
    source: sourceOf(ref),
    ...(ref.from === 'file' ? { file: ref.path } : {}),
    mutant: null,
    sequence: sequenceOf(ref),
    settings: {},
    exhibit: ref.named ? null : (protocol.exhibit ?? null),
  }));
  for (const mutant of mutants) {
    const { name } = mutant;
    const { protocol } = subjectOf(mutant, 'explore');
    if (protocol !== null) {
      const source: ProtocolSource = { kind: 'mutant', name, text: '' };
      const settings = mutant.caughtBy.find(({ engine }) => engine === 'explore') ?? {};
      subjects.push({ protocol, source, mutant: name, sequence: null, settings, exhibit: null });
    } else if (request.mutants?.includes(name) === true) {
      throw refusal`${the('mutants')}: ${name} is a bug of the machine, which explore does not simulate;
        try it with stress`;
    }
  }
  const own = wanted.filter((each) => typeof each !== 'string');
  return [...own.map(subjectItself), ...subjects];
}

/** A protocol that no token can name: its violations have none. */
function subjectItself(protocol: Protocol): Subject {
  return { protocol, source: null, mutant: null, sequence: null, settings: {}, exhibit: null };
}

function sequenceOf(ref: ProtocolRef): Sequence | null {
  if (ref.from === 'sequence') return parseSequence(ref.text);
  const isFile = ref.from === 'file' && loaderOf(ref.path) === SEQUENCE;
  return isFile ? parseSequence(SEQUENCE.text(ref.path)) : null;
}

/** Is a search of `subject` one of many, as no CPU was named? */
export function isOpen(request: ExploreRequest, { sequence }: Subject): boolean {
  const { cpu, matrix, errata, ablate, against, faults = 'model' } = request;
  const isBeside = against !== undefined || faults !== 'model';
  const isWide = matrix === true || errata === true || ablate === true;
  const isAsked = cpu !== undefined || isWide || isBeside;
  return sequence !== null && !isAsked;
}

/** Refuses a CPU that cannot be, or not in the scenario. */
export function searchesOf(
  request: ExploreRequest,
  subjects: readonly Subject[],
): readonly Search[] {
  const { cpu = {}, matrix, levels = [null], granule = 'tiny', regions = 1 } = request;
  const { vcpus, scenarios, accesses } = request;
  const column = Object.keys(cpu).find((knob) => MATRIX_KNOBS.has(knob));
  if (matrix === true && column !== undefined) {
    throw refusal`${the('cpu', column)} does not go with ${the('matrix')},
      whose columns are bbm, nt and multihit; the other knobs do`;
  }
  if (request.errata === true && cpu.tlbi !== undefined) {
    throw refusal`${the('cpu', 'tlbi')} does not go with ${the('errata')}, which is every value of it`;
  }
  const searches = levels.flatMap((wanted) =>
    subjects.flatMap((subject) =>
      placesFor(request, subject).flatMap(({ cpu, as }) =>
        (vcpus ?? [subject.settings.vcpus ?? vcpusFor(cpu)]).flatMap((vcpus) =>
          (scenarios ?? scenariosOf(subject)).map((scenario) => ({
            subject: as,
            cpu,
            level: wanted ?? subject.settings.level ?? 2,
            granule,
            regions,
            vcpus,
            scenario,
            accesses: accesses ?? ACCESSES_EXPLORED,
          })),
        ),
      ),
    ),
  );
  refuseExploredRings(searches.map(({ cpu }) => cpu));
  for (const { cpu, scenario } of searches) {
    if (unsupportedReason(cpu, scenario) === null) continue;
    throw refusal`${the('scenarios', scenario)} does not go with ${the('cpu', 'tlb=0')}:
      what it is about is TLB entries`;
  }
  return searches;
}

function scenariosOf({ settings, against }: Subject): readonly ExploredScenario[] {
  if (against !== undefined) return DEFAULT_SCENARIOS;
  const own = SCENARIOS_EXPLORED.find((name) => name === settings.scenario);
  return own === undefined ? DEFAULT_SCENARIOS : [own];
}

/** One vCPU for each PE that is named, so that none goes untried. */
function vcpusFor({ bbm }: CpuModel): number {
  return Math.min(bbm.length, VCPUS_EXPLORED_MAX);
}

interface Place {
  readonly cpu: CpuModel;
  /** The subject, or what is run in its place. */
  readonly as: Subject;
}

/** With errata each CPU without one and with each, and with each once more repaired. */
function placesFor(request: ExploreRequest, subject: Subject): readonly Place[] {
  const cpus = cpusWithoutErrata(request, subject);
  if (request.errata !== true) return cpus.map((cpu) => ({ cpu, as: subject }));
  return cpus.flatMap((cpu): Place[] => [
    ...TLBI_COMPLETIONS.map((tlbi) => ({ cpu: { ...cpu, tlbi }, as: subject })),
    // What a step is for is asked of the protocol as it is.
    ...(request.ablate === true ? [] : REPAIRED_ERRATA).map((tlbi) => ({
      cpu: { ...cpu, tlbi },
      as: repairedSubject(subject, REPAIR_OF[tlbi]),
    })),
  ]);
}

function cpusWithoutErrata(request: ExploreRequest, subject: Subject): readonly CpuModel[] {
  const { protocol, settings, against } = subject;
  const isPlain = subject.sequence !== null;
  const texts =
    request.matrix === true || isOpen(request, subject)
      ? MATRIX_CPUS
      : request.ablate === true && request.cpu === undefined
        ? ABLATION_CPUS
        : null;
  if (texts !== null) {
    const { bbm: _bbm, nt: _nt, multihit: _multihit, ...declared } = protocol.cpu ?? {};
    const rest = { ...declared, ...settings.cpu, ...request.cpu };
    const cpus = texts.map((text) => cpuFor({}, { ...rest, ...parseCpu(text) }));
    return cpus.filter(({ bbm }) => isPlain || Math.min(...bbm) >= leastBbm(protocol));
  }
  const written = { cpu: { ...against?.protocol.cpu, ...protocol.cpu } };
  const cpu = cpuFor(written, { ...settings.cpu, ...request.cpu });
  const problem = cpuProblem(cpu);
  if (problem !== null) throw refusal`${the('cpu')}: for protocol ${protocol.name} ${problem}`;
  return [cpu];
}

/**
 * A protocol is meant for the level it was written for and those above it. Never to break an entry
 * takes FEAT_BBM at least (R_KFLJB).
 */
function leastBbm({ cpu, claims }: Protocol): number {
  return Math.min(...(cpu?.bbm ?? [claims.neverInvalid === true ? 1 : 0]));
}
