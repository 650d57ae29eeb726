/** Looks up by name the protocols, mutants and scenarios of a request; loads protocols from files. */
import { loadMutants } from '../mutants/load.ts';
import type { Mutant } from '../mutants/mutant.ts';
import type { Protocol } from '../port/protocol.ts';
import { ALL_PROTOCOLS, OTHER_PROTOCOLS } from '../protocols/index.ts';
import { parseSequence, sequenceProtocol } from '../sequence/index.ts';
import { type Scenario, SCENARIOS } from '../scenarios/index.ts';
import type { ProtocolRef } from '../stress/plan/plan.ts';
import { toldApart } from './kernel.ts';
import { loadProtocolFile, looksLikePath } from './protocol-file.ts';
import { about, refusal, the } from './refusal.ts';
import { nameOf } from './values.ts';

export interface Catalogue {
  readonly protocols: readonly Protocol[];
  /** Loaded when one is asked for. */
  readonly mutants: () => Promise<readonly Mutant[]>;
  readonly scenarios: readonly Scenario[];
}

export const BUILT_IN: Catalogue = Object.freeze({
  protocols: ALL_PROTOCOLS,
  mutants: loadMutants,
  scenarios: SCENARIOS,
});

const ALL = 'all';

/** The field of a request has an s behind it. */
type Kind = 'protocol' | 'mutant' | 'scenario';

export interface SelectedProtocol {
  readonly ref: ProtocolRef;
  readonly protocol: Protocol;
}

/** Names of `things` selected by `texts`, in the order given; `all` is every one. */
export function selectNames(
  what: Kind,
  texts: readonly string[],
  things: readonly { readonly name: string }[],
): string[] {
  const names = things.map((thing) => thing.name);
  if (isAll(what, texts)) return names;
  return texts.map((text) => lookUp(what, names, text));
}

/** The mutants selected by `texts`, in the order given. */
export async function selectMutants(
  texts: readonly string[],
  { mutants }: Pick<Catalogue, 'mutants'>,
): Promise<readonly Mutant[]> {
  if (texts.length === 0) return [];
  const all = await mutants();
  const names = selectNames('mutant', texts, all);
  return names.flatMap((name) => all.filter((mutant) => mutant.name === name));
}

/**
 * The protocols selected by `texts`, built-in names and files, and by the text of a sequence. Loads
 * the files, one after the other.
 */
export async function selectProtocols(
  texts: readonly string[],
  catalogue: Pick<Catalogue, 'protocols'>,
  sequence?: string,
): Promise<readonly SelectedProtocol[]> {
  const named = await selectNamed(texts, catalogue);
  if (sequence === undefined) return named;
  const last = fromText(sequence);
  const twin = [...named.map(({ ref }) => ref), ...catalogue.protocols].find(
    ({ name }) => name === last.ref.name,
  );
  if (twin === undefined) return [...named, last];
  throw refusal`${the('sequence')}: it is named ${twin.name} like another protocol; give it its own
    name: …`;
}

/** The catalogue, where `all` is to stand for what is measured without being asked for. */
export function sizeChanging(
  catalogue: Pick<Catalogue, 'protocols'>,
  texts: readonly string[],
): Pick<Catalogue, 'protocols'> {
  if (!texts.includes(ALL)) return catalogue;
  return { protocols: catalogue.protocols.filter((each) => !OTHER_PROTOCOLS.includes(each)) };
}

async function selectNamed(
  texts: readonly string[],
  catalogue: Pick<Catalogue, 'protocols'>,
): Promise<readonly SelectedProtocol[]> {
  if (isAll('protocol', texts)) {
    return catalogue.protocols.map((protocol) => ({
      ref: { from: 'built-in', name: protocol.name, named: false },
      protocol,
    }));
  }
  // Names first: a slip in the last one should not wait for files to load.
  for (const text of texts) if (!looksLikePath(text)) findProtocol(text, catalogue);
  const selected: SelectedProtocol[] = [];
  for (const text of toldApart(texts)) {
    const next = looksLikePath(text)
      ? await fromFile(text, catalogue)
      : builtIn(findProtocol(text, catalogue));
    const twin = selected.find((other) => other.ref.name === next.ref.name);
    if (twin)
      throw refusal`${the('protocols')}: ${text} is named ${next.ref.name} like another one; give
        it its own name`;
    selected.push(next);
  }
  return selected;
}

function isAll(what: Kind, texts: readonly string[]): boolean {
  if (!texts.includes(ALL)) return false;
  if (texts.length === 1) return true;
  throw refusal`${the(`${what}s`)}: "all" stands alone; it has every built-in one already`;
}

function lookUp(what: Kind, names: readonly string[], text: string): string {
  return about(`${what}s`, () => nameOf(what, names)(text));
}

function findProtocol(text: string, catalogue: Pick<Catalogue, 'protocols'>): Protocol {
  const names = catalogue.protocols.map((protocol) => protocol.name);
  const name = lookUp('protocol', names, text);
  return catalogue.protocols[names.indexOf(name)] as Protocol;
}

function builtIn(protocol: Protocol): SelectedProtocol {
  return { ref: { from: 'built-in', name: protocol.name, named: true }, protocol };
}

function fromText(text: string): SelectedProtocol {
  const protocol = sequenceProtocol(parseSequence(text));
  return { ref: { from: 'sequence', name: protocol.name, named: true, text }, protocol };
}

async function fromFile(
  text: string,
  catalogue: Pick<Catalogue, 'protocols'>,
): Promise<SelectedProtocol> {
  const { path, protocol } = await loadProtocolFile(text);
  if (catalogue.protocols.some((other) => other.name === protocol.name)) {
    throw refusal`${the('protocols')}: ${text} is named ${protocol.name} like a built-in one; give
      it its own name`;
  }
  return { ref: { from: 'file', name: protocol.name, named: true, path }, protocol };
}
