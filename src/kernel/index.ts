/** Functions of a kernel tree, as they are compiled from it, as protocols. */
import path from 'node:path';
import { NativeProblem } from '../native/index.ts';
import type { Protocol } from '../port/protocol.ts';
import { kernelProtocol } from './bridge.ts';
import { compileTree, treeText } from './compile.ts';
import { offersOf, PREFIX } from './offers.ts';
import { parseReference } from './reference.ts';
import { contextOf, kernelTree, PGTABLE, tlbFile } from './tree.ts';

export { type Capability, CAPABILITY_NAMES, DEFAULT_CAPABILITIES } from './capabilities.ts';
export { type Offer, OFFER_NAMES, offersOf, PREFIX } from './offers.ts';
export { type KernelReference, parseReference, REFERENCE, referenceText } from './reference.ts';
export { kernelTree, type KernelTree, TLB_FLAVOURS, type TlbFlavour } from './tree.ts';

export interface LoadedKernel {
  readonly protocol: Protocol;
  readonly warnings: readonly string[];
}

/** `reference`: see reference.ts. Throws NativeProblem. */
export async function loadKernel(reference: string): Promise<LoadedKernel> {
  const { folder, name, flavour, capabilities, label } = parseReference(reference);
  const tree = kernelTree(folder);
  const offers = offersOf(tree);
  const offer = offers.find((each) => each.name === name);
  if (offer === undefined) {
    const has = offers.map((each) => PREFIX + each.name).join(', ');
    throw new NativeProblem(
      `${folder}: v${tree.version} offers no ${PREFIX}${name}; it has ${has}`,
    );
  }
  const { wasm } = await compileTree(tree, flavour);
  const flushes = tlbFile(flavour).slice('arch/arm64/kvm/'.length);
  const origin = `v${tree.version}, ${path.basename(PGTABLE)} and ${flushes}`;
  const context = contextOf(tree, flavour);
  const protocol = kernelProtocol({ tree, wasm, capabilities, origin, context, label }, offer);
  const warnings = tree.note === null ? [] : [`${folder}: ${tree.note}`];
  return { protocol, warnings };
}

export function textOfKernel(reference: string): string {
  const { folder, flavour } = parseReference(reference);
  return treeText(kernelTree(folder), flavour);
}
