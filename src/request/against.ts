/** The protocol of a request that a second hypervisor runs beside each of the others. */
import { assert } from '../arch/assert.ts';
import type { Against } from '../explore/protocol/index.ts';
import { pairProblem } from '../explore/protocol/run/pair.ts';
import { type Mutant, subjectOf } from '../mutants/mutant.ts';
import type { Protocol } from '../port/index.ts';
import { nearest } from './did-you-mean.ts';
import { type FaultFields, refuseServing, servingName } from './faults.ts';
import { kernelProtocols } from './kernel.ts';
import { loadProtocolFile, looksLikePath } from './protocol-file.ts';
import { about, refusal, the } from './refusal.ts';
import { BUILT_IN } from './registry.ts';
import { fileSource } from './sources.ts';
import { nameOf } from './values.ts';

/** What of a request has to do with it. */
interface Asked extends FaultFields {
  readonly against?: Protocol | string;
  readonly protocols?: readonly (Protocol | string)[];
  readonly mutants?: readonly string[];
  readonly sequence?: string;
  readonly scenarios?: readonly string[];
  readonly regions?: number;
  readonly matrix?: boolean;
  readonly ablate?: boolean;
}

/** Null: none is asked for. Refuses what it does not go with. */
export async function againstOf(request: Asked): Promise<Against | null> {
  const { scenarios = [] } = request;
  const serving = servingName(request);
  if (serving !== null && request.against !== undefined) {
    throw refusal`${the('faults')} does not go with ${the('against')}: both are the second of two protocols`;
  }
  const field = serving === null ? 'against' : 'faults';
  const against = serving ?? request.against;
  if (against === undefined) return null;
  const beside = (['matrix', 'ablate'] as const).find((field) => request[field] === true);
  if (beside !== undefined) {
    throw refusal`${the(field)} does not go with ${the(beside)}, which is about one protocol`;
  }
  if (scenarios.includes('two-vms')) {
    throw refusal`${the(field)} does not go with ${the('scenarios', 'two-vms')}: both hypervisors
      change an entry of one VM`;
  }
  if (request.regions === 2) {
    throw refusal`${the(field)} does not go with ${the('regions', 2)}: both change one and the same entry`;
  }
  if (request.kernel !== undefined && request.kernelTlb === 'nvhe') {
    throw refusal`${the(field)} does not go with ${the('kernelTlb', 'nvhe')}: its flushes begin in the host's
      context, and a walk of the host's is followed for one protocol alone; ${the('kernelTlb', 'vhe')} goes
      with it`;
  }
  refuseAlone(request, field);
  if (typeof against !== 'string') return { protocol: against, source: null };
  const [named = against] = kernelProtocols(request, [against]) ?? [];
  const found = looksLikePath(named) ? await fromFile(named) : await fromName(named, field);
  if (serving !== null) refuseServing(found.protocol);
  return found;
}

/** It is the second of two. */
export function refuseAlone(
  request: Omit<Asked, 'against' | 'scenarios'>,
  field = 'against',
): void {
  const { mutants = [], sequence, kernel, protocols = [] } = request;
  const isAlone = protocols.length + mutants.length === 0 && sequence === undefined;
  if (!isAlone || kernel !== undefined) return;
  throw refusal`${the(field)} names the second of two protocols: ${the('protocols')} or
    ${the('mutants')} names the first, which may be the same`;
}

type NamedAgainst =
  | { readonly is: 'protocol'; readonly protocol: Protocol }
  | { readonly is: 'mutant'; readonly mutant: Mutant };

/** A built-in protocol or a mutant. */
export async function namedAgainst(text: string, field = 'against'): Promise<NamedAgainst> {
  const protocol = BUILT_IN.protocols.find((each) => each.name === text);
  if (protocol !== undefined) return { is: 'protocol', protocol };
  const protocols = BUILT_IN.protocols.map(({ name }) => name);
  const all = await BUILT_IN.mutants();
  const mutants = all.map(({ name }) => name);
  // Who means no mutant is not told them all.
  const names = nearest(text, mutants) === null ? protocols : [...protocols, ...mutants];
  const name = about(field, () => nameOf('protocol or mutant', names)(text));
  const mutant = all.find((each) => each.name === name);
  assert(mutant !== undefined, `${name} is a name of the list`);
  return { is: 'mutant', mutant };
}

async function fromFile(text: string): Promise<Against> {
  const { path, protocol } = await loadProtocolFile(text);
  return { protocol, source: fileSource(path) };
}

async function fromName(text: string, field: string): Promise<Against> {
  const named = await namedAgainst(text, field);
  if (named.is === 'protocol') {
    const { protocol } = named;
    return { protocol, source: { kind: 'built-in', name: protocol.name, text: '' } };
  }
  const { name } = named.mutant;
  const { protocol } = subjectOf(named.mutant, 'explore');
  if (protocol === null) {
    throw refusal`${the(field)}: ${name} is a bug of the machine, which explore does not simulate`;
  }
  return { protocol, source: { kind: 'mutant', name, text: '' } };
}

/**
 * Each with the other beside it. Of those that nobody has named one by one what cannot be at it beside
 * another is left out; any other is refused.
 */
export function subjectsBeside<S extends { readonly protocol: Protocol }>(
  subjects: readonly S[],
  against: Against,
  isNamed: (subject: S) => boolean,
  request: Pick<Asked, 'faults'> = {},
): readonly (S & { readonly against: Against })[] {
  const { faults = 'model' } = request;
  const asked = faults === 'model' ? the('against', against.protocol.name) : the('faults', faults);
  const beside = subjects.flatMap((subject) => {
    const problem = pairProblem(subject.protocol, against.protocol);
    if (problem === null) return [{ ...subject, against }];
    if (isNamed(subject)) throw refusal`${asked}: ${problem}`;
    return [];
  });
  if (beside.length > 0) return beside;
  const [first] = subjects;
  const problem = first === undefined ? null : pairProblem(first.protocol, against.protocol);
  throw refusal`${asked}: ${problem ?? 'nothing is there beside it'}`;
}
