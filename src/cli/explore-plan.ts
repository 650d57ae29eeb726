/** What one `explore` command runs: protocols and mutants, CPUs, levels, numbers of vCPUs. */
import { readFileSync } from 'node:fs';
import { cpuFor, type CpuModel, cpuProblem } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import type { ProtocolSource } from '../explore/protocol/index.ts';
import {
  ACCESSES_EXPLORED,
  type ExploredScenario,
  VCPUS_EXPLORED_MAX,
} from '../explore/protocol/bounds.ts';
import { unsupportedReason } from '../explore/protocol/cpu.ts';
import { MUTANTS } from '../mutants/index.ts';
import type { Protocol } from '../port/protocol.ts';
import type { CommandInput } from './command.ts';
import { parseCpu } from './cpu-knobs.ts';
import { shortPath } from './paths.ts';
import { BUILT_IN, selectNames, selectProtocols } from './registry.ts';
import { UsageError } from './usage-error.ts';

export interface Subject {
  readonly protocol: Protocol;
  readonly source: ProtocolSource;
  readonly mutant: string | null;
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

const DEFAULT_SCENARIOS: readonly ExploredScenario[] = ['adjust-populated'];

export async function subjectsOf({ flags }: CommandInput): Promise<readonly Subject[]> {
  const mutants = selectNames('mutant', flags.mutant ?? [], BUILT_IN.mutants);
  const wanted = flags['explore-protocol'] ?? (mutants.length > 0 ? [] : ['all']);
  const protocols = await selectProtocols(wanted, BUILT_IN);
  const subjects = protocols.map(({ ref, protocol }): Subject => ({
    protocol,
    source: ref.from === 'file' ? fileSource(ref.path) : builtIn(protocol.name),
    mutant: null,
    exhibit: ref.named ? null : (protocol.exhibit ?? null),
  }));
  for (const name of mutants) {
    const mutant = MUTANTS.find((m) => m.name === name);
    if (mutant?.seed.kind === 'protocol') {
      const { protocol } = mutant.seed;
      const source: ProtocolSource = { kind: 'mutant', name, text: '' };
      subjects.push({ protocol, source, mutant: name, exhibit: null });
    } else if (flags.mutant?.includes(name)) {
      throw new UsageError(
        `--mutant: ${name} is a bug of the machine, which explore does not simulate; try it with stress`,
      );
    }
  }
  return subjects;
}

function builtIn(name: string): ProtocolSource {
  return { kind: 'built-in', name, text: '' };
}

export function fileSource(path: string): ProtocolSource {
  return { kind: 'file', name: shortPath(path), text: readFileSync(path, 'utf8') };
}

/** Throws a usage error for a CPU that cannot be, or not in the scenario. */
export function searchesOf(input: CommandInput, subjects: readonly Subject[]): readonly Search[] {
  const { flags } = input;
  if (flags.matrix === true && flags.cpu !== undefined) {
    throw new UsageError('--cpu does not go with --matrix, which brings its own CPUs');
  }
  const searches = (flags['explore-level'] ?? [2]).flatMap((level) =>
    subjects.flatMap((subject) =>
      cpusFor(input, subject).flatMap((cpu) =>
        (flags['explore-vcpus'] ?? [vcpusFor(cpu)]).flatMap((vcpus) =>
          (flags['explore-scenario'] ?? DEFAULT_SCENARIOS).map((scenario) => ({
            subject,
            cpu,
            level,
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

/** One vCPU for each PE that is named, so that none goes untried. */
function vcpusFor({ bbm }: CpuModel): number {
  return Math.min(bbm.length, VCPUS_EXPLORED_MAX);
}

function cpusFor({ flags }: CommandInput, { protocol }: Subject): readonly CpuModel[] {
  if (flags.matrix === true) {
    const cpus = MATRIX_CPUS.map((text) => cpuFor({}, parseCpu(text)));
    return cpus.filter(({ bbm }) => Math.min(...bbm) >= leastBbm(protocol));
  }
  const cpu = cpuFor(protocol, flags.cpu ?? {});
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
