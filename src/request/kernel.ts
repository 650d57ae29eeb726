/** A kernel tree in a request: its functions as protocols, under the names of files in it. */
import {
  type Capability,
  CAPABILITY_NAMES,
  DEFAULT_CAPABILITIES,
  kernelTree,
  type KernelReference,
  OFFER_NAMES,
  type Offer,
  offersOf,
  parseReference,
  PREFIX,
  REFERENCE,
  referenceText,
  type TlbFlavour,
} from '../kernel/index.ts';
import { NativeProblem } from '../native/index.ts';
import { userPath } from '../package/paths.ts';
import { about, refusal, the } from './refusal.ts';
import { UsageError } from './usage-error.ts';
import { listOf, nameOf } from './values.ts';

const NONE = 'none';

/** `fwb,ttl`, or `none`. */
export function parseCapabilities(text: string): readonly Capability[] {
  return text === NONE ? [] : listOf(nameOf('capability', CAPABILITY_NAMES))(text);
}

export interface KernelFields {
  readonly kernel?: string;
  readonly kernelTlb?: TlbFlavour;
  readonly kernelCapabilities?: readonly Capability[];
}

/**
 * What the protocols of a request come to with a tree: all of what it offers that the command `takes`, or
 * what is named of it. Throws a usage error for a tree that is none.
 */
export function kernelProtocols<T>(
  request: KernelFields,
  wanted: readonly (T | string)[] | undefined,
  takes: (offer: Offer) => boolean = () => true,
): readonly (T | string)[] | undefined {
  const isOwn = (each: T | string): each is string =>
    typeof each === 'string' && each.startsWith(PREFIX);
  const own = (wanted ?? []).filter(isOwn);
  if (request.kernel === undefined) {
    const field = (['kernelTlb', 'kernelCapabilities'] as const).find(
      (name) => request[name] !== undefined,
    );
    if (field !== undefined) throw refusal`${the(field)} goes with ${the('kernel')}`;
    const [first] = own;
    if (first === undefined) return wanted;
    throw refusal`${the('protocols')}: ${first} is of a kernel tree: ${the('kernel')} says which one`;
  }
  const folder = userPath(request.kernel);
  const offers = offersIn(folder, request.kernel).filter(takes);
  const named = (name: string): string => referenceFor(folder, name, request);
  if (own.length === 0) return [...(wanted ?? []), ...offers.map(({ name }) => named(name))];
  return (wanted ?? []).map((each) => {
    if (!isOwn(each)) return each;
    about('protocols', () => nameOf('protocol', OFFER_NAMES)(each));
    return named(each.slice(PREFIX.length));
  });
}

export function referenceFor(folder: string, name: string, request: KernelFields): string {
  return referenceText({
    folder,
    name,
    flavour: request.kernelTlb ?? 'vhe',
    capabilities: request.kernelCapabilities ?? DEFAULT_CAPABILITIES,
    label: null,
  });
}

function offersIn(folder: string, text: string): readonly Offer[] {
  return refusingTree(folder, text, () => offersOf(kernelTree(folder)));
}

/**
 * A function that is named of several trees gets what tells the trees apart behind its name: their
 * versions, or letters where these are alike.
 */
export function toldApart(texts: readonly string[]): readonly string[] {
  const references = texts.map((text) =>
    REFERENCE.test(text) ? parseReference(userPath(text)) : null,
  );
  return texts.map((text, i) => {
    const mine = references[i] ?? null;
    if (mine === null || mine.label !== null) return text;
    const alike = references.filter((each) => each !== null && each.name === mine.name);
    if (alike.length < 2) return text;
    const versions = alike.map(versionOf);
    const at = alike.indexOf(mine);
    const isDistinct = new Set(versions).size === versions.length;
    const label = isDistinct ? versions[at] : 'abcdefghijklmnopqrstuvwxyz'[at];
    return label === undefined ? text : referenceText({ ...mine, label });
  });
}

/** `v6-12-118`, as a name may have it; of what is no tree, loading it says why. */
function versionOf(reference: KernelReference | null): string {
  try {
    return `v${kernelTree(reference?.folder ?? '').version}`.toLowerCase().replaceAll('.', '-');
  } catch (error) {
    if (error instanceof NativeProblem) return '';
    throw error;
  }
}

/** What is wrong with a tree is one line, in the user's words for the folder. */
export function refusingTree<T>(folder: string, text: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof NativeProblem)) throw error;
    throw new UsageError(error.message.replaceAll(folder, text));
  }
}
