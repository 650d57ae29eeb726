/**
 * The protocol of a `stress` request that a second hypervisor's thread runs at the same entries, and what
 * may run beside it: what `explore` would run beside it, of one kind, where sizes are all that changes.
 */
import { pairProblem } from '../explore/protocol/run/pair.ts';
import { type Mutant, subjectOf } from '../mutants/mutant.ts';
import { changesSize } from '../port/kinds.ts';
import type { Protocol } from '../port/protocol.ts';
import { scenarioNamed, SCENARIOS } from '../scenarios/index.ts';
import type { ProtocolSource } from '../stress/plan/group.ts';
import { namedAgainst, refuseAlone } from './against.ts';
import { type KernelFields, kernelProtocols } from './kernel.ts';
import { loadProtocolFile, looksLikePath } from './protocol-file.ts';
import { refusal, the } from './refusal.ts';
import { BUILT_IN, type SelectedProtocol } from './registry.ts';

/** What of a request has to do with it. */
interface Asked extends KernelFields {
  readonly against?: string;
  readonly protocols?: readonly string[];
  readonly mutants?: readonly string[];
  readonly sequence?: string;
}

export interface StressAgainst {
  readonly protocol: Protocol;
  readonly source: ProtocolSource;
}

/** Null: none is asked for. `scenarios`: by name. */
export async function stressAgainst(
  request: Asked,
  scenarios: readonly string[],
): Promise<StressAgainst | null> {
  const { against } = request;
  if (against === undefined) return null;
  refuseAlone(request);
  const other = scenarios.find((name) => !isOfSizesAlone(name));
  if (other !== undefined) {
    const able = SCENARIOS.flatMap(({ name }) => (isOfSizesAlone(name) ? [name] : []));
    throw refusal`${the('against')} does not go with ${the('scenarios', other)}: two hypervisors
      change sizes, and nothing else, in ${able.join(' and ')}`;
  }
  const [named = against] = kernelProtocols(request, [against]) ?? [];
  if (!looksLikePath(named)) return fromName(named);
  const { path, protocol } = await loadProtocolFile(named);
  return { protocol, source: { from: 'file', name: protocol.name, path } };
}

function isOfSizesAlone(name: string): boolean {
  const { work, takes } = scenarioNamed(name);
  return work.kind === 'adjust' && takes === undefined;
}

async function fromName(text: string): Promise<StressAgainst> {
  const named = await namedAgainst(text);
  if (named.is === 'protocol') {
    const { protocol } = named;
    return { protocol, source: { from: 'built-in', name: protocol.name } };
  }
  const { name } = named.mutant;
  const { protocol } = subjectOf(named.mutant, 'stress');
  if (protocol === null) {
    throw refusal`${the('against')}: ${name} is a bug of the machine, which both hypervisors run on;
      give ${the('mutants', name)}, and here what is to run beside it`;
  }
  return { protocol, source: { from: 'mutant', name } };
}

/** Those of all that can run beside it; who was named one by one and cannot is refused. */
export function protocolsBeside(
  selected: readonly SelectedProtocol[],
  against: StressAgainst | null,
): readonly SelectedProtocol[] {
  return able(
    selected,
    against,
    ({ protocol }) => protocol,
    ({ ref }) => ref.named,
  );
}

/** The same of mutants. `isNamed`: one by one. */
export function mutantsBeside(
  mutants: readonly Mutant[],
  against: StressAgainst | null,
  isNamed: boolean,
): readonly string[] {
  const protocolOf = (mutant: Mutant): Protocol | null => {
    // The machine has the bug, and the first hypervisor runs what is right on a machine without it.
    const { protocol, twin } = subjectOf(mutant, 'stress');
    return protocol ?? BUILT_IN.protocols.find(({ name }) => name === twin) ?? null;
  };
  return able(mutants, against, protocolOf, () => isNamed).map(({ name }) => name);
}

function able<T>(
  all: readonly T[],
  against: StressAgainst | null,
  protocolOf: (each: T) => Protocol | null,
  isNamed: (each: T) => boolean,
): readonly T[] {
  if (against === null) return all;
  let first: string | null = null;
  const beside = all.filter((each) => {
    const protocol = protocolOf(each);
    const problem = protocol === null ? null : besideProblem(protocol, against.protocol);
    if (problem === null) return protocol !== null;
    if (isNamed(each)) throw refusal`${the('against', against.protocol.name)}: ${problem}`;
    first ??= problem;
    return false;
  });
  if (beside.length > 0 || first === null) return beside;
  throw refusal`${the('against', against.protocol.name)}: ${first}`;
}

function besideProblem(first: Protocol, second: Protocol): string | null {
  const other = [first, second].find(({ kind }) => !changesSize(kind));
  if (other !== undefined) {
    return (
      `protocol ${other.name} is of kind ${other.kind}; beside another one stress runs coalesce and ` +
      'split'
    );
  }
  const problem = pairProblem(first, second);
  if (problem !== null || first.kind === second.kind) return problem;
  return (
    `protocol ${second.name} is of kind ${second.kind}, and ${first.name} of kind ${first.kind}; stress ` +
    'runs two of one kind beside each other; explore runs such a pair'
  );
}
