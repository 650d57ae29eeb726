/** `--kernel DIR` and its kin: functions of a kernel tree as protocols, by what --protocol takes. */
import {
  type Capability,
  CAPABILITY_NAMES,
  DEFAULT_CAPABILITIES,
  kernelTree,
  OFFER_NAMES,
  type Offer,
  offersOf,
  PREFIX,
  referenceText,
  type TlbFlavour,
} from '../kernel/index.ts';
import { NativeProblem } from '../native/index.ts';
import { userPath } from './paths.ts';
import { UsageError, within } from './usage-error.ts';
import { listOf, nameOf } from './values.ts';

const NONE = 'none';

/** `fwb,ttl`, or `none`. */
export function parseCapabilities(text: string): readonly Capability[] {
  return text === NONE ? [] : listOf(nameOf('capability', CAPABILITY_NAMES))(text);
}

interface KernelFlags {
  readonly kernel?: string;
  readonly 'kernel-tlb'?: TlbFlavour;
  readonly 'kernel-caps'?: readonly Capability[];
}

/**
 * What --protocol comes to with --kernel: all that the tree offers, or what is named of it. Throws a
 * usage error for a tree that is none.
 */
export function kernelProtocols(
  flags: KernelFlags,
  wanted: readonly string[] | undefined,
): readonly string[] | undefined {
  const own = (wanted ?? []).filter((text) => text.startsWith(PREFIX));
  if (flags.kernel === undefined) {
    const flag = (['kernel-tlb', 'kernel-caps'] as const).find((name) => flags[name] !== undefined);
    if (flag !== undefined) throw new UsageError(`--${flag} goes with --kernel DIR`);
    const [first] = own;
    if (first !== undefined) {
      throw new UsageError(`--protocol: ${first} is of a kernel tree: --kernel DIR says which one`);
    }
    return wanted;
  }
  const folder = userPath(flags.kernel);
  const offers = offersIn(folder, flags.kernel);
  const named = (name: string): string => referenceFor(folder, name, flags);
  if (own.length === 0) return [...(wanted ?? []), ...offers.map(({ name }) => named(name))];
  return (wanted ?? []).map((text) => {
    if (!text.startsWith(PREFIX)) return text;
    const name = text.slice(PREFIX.length);
    within('--protocol', () => nameOf('protocol', OFFER_NAMES)(text));
    return named(name);
  });
}

export function referenceFor(folder: string, name: string, flags: KernelFlags): string {
  return referenceText({
    folder,
    name,
    flavour: flags['kernel-tlb'] ?? 'vhe',
    capabilities: flags['kernel-caps'] ?? DEFAULT_CAPABILITIES,
  });
}

/** Throws a usage error, in the user's words for the folder. */
export function offersIn(folder: string, text: string): readonly Offer[] {
  return refusingTree(folder, text, () => offersOf(kernelTree(folder)));
}

/** What is wrong with a tree is one line. */
export function refusingTree<T>(folder: string, text: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof NativeProblem)) throw error;
    throw new UsageError(error.message.replaceAll(folder, text));
  }
}
