/**
 * How one function of a tree is named where files of protocols are: as if it lay in the tree's folder.
 *
 *   ~/linux/kernel:map            ~/linux/kernel:map-shared,nvhe,caps,ttl,fwb
 *   tree    function              and whose tlb.c, and what the CPU has
 */
import path from 'node:path';
import { type Capability, CAPABILITY_NAMES, DEFAULT_CAPABILITIES } from './capabilities.ts';
import { TLB_FLAVOURS, type TlbFlavour } from './tree.ts';

export interface KernelReference {
  readonly folder: string;
  /** As offers have it. */
  readonly name: string;
  readonly flavour: TlbFlavour;
  readonly capabilities: readonly Capability[];
}

export const REFERENCE = /(?:^|[/\\])kernel:[a-z0-9]+(?:-[a-z0-9]+)*(?:,[a-z0-9]+)*$/;
const CAPS = 'caps';

export function parseReference(text: string): KernelReference {
  const [name = '', ...options] = path.basename(text).slice('kernel:'.length).split(',');
  const from = options.indexOf(CAPS);
  const listed = new Set(options.slice(from + 1));
  return {
    folder: path.dirname(text),
    name,
    flavour: TLB_FLAVOURS.find((flavour) => options.includes(flavour)) ?? 'vhe',
    capabilities:
      from < 0 ? DEFAULT_CAPABILITIES : CAPABILITY_NAMES.filter((each) => listed.has(each)),
  };
}

export function referenceText(reference: KernelReference): string {
  const { folder, name, flavour, capabilities } = reference;
  const isUsual = capabilities.join() === DEFAULT_CAPABILITIES.join();
  const options = [
    ...(flavour === 'vhe' ? [] : [flavour]),
    ...(isUsual ? [] : [CAPS, ...capabilities]),
  ];
  return path.join(folder, ['kernel:' + name, ...options].join(','));
}
