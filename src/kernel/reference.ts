/**
 * How one function of a tree is named where files of protocols are: as if it lay in the tree's folder.
 *
 *   ~/linux/kernel:map            ~/linux/kernel:map-shared,nvhe,caps,ttl,fwb
 *   tree    function              and whose tlb.c, and what the CPU has
 *
 * `~/linux/kernel:map,as,v6-12-118` is called kernel:map-v6-12-118: two trees may stand in one table.
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
  /** What tells it from the same function of another tree; null: its name will do. */
  readonly label: string | null;
}

export const REFERENCE =
  /(?:^|[/\\])kernel:[a-z0-9]+(?:-[a-z0-9]+)*(?:,[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const CAPS = 'caps';
const AS = 'as';

export function parseReference(text: string): KernelReference {
  const [name = '', ...options] = path.basename(text).slice('kernel:'.length).split(',');
  const from = options.indexOf(CAPS);
  const as = options.indexOf(AS);
  const listed = new Set(options.slice(from + 1));
  return {
    folder: path.dirname(text),
    name,
    flavour: TLB_FLAVOURS.find((flavour) => options.includes(flavour)) ?? 'vhe',
    capabilities:
      from < 0 ? DEFAULT_CAPABILITIES : CAPABILITY_NAMES.filter((each) => listed.has(each)),
    label: as < 0 ? null : (options[as + 1] ?? null),
  };
}

export function referenceText(reference: KernelReference): string {
  const { folder, name, flavour, capabilities, label } = reference;
  const isUsual = capabilities.join() === DEFAULT_CAPABILITIES.join();
  const options = [
    ...(flavour === 'vhe' ? [] : [flavour]),
    ...(label === null ? [] : [AS, label]),
    ...(isUsual ? [] : [CAPS, ...capabilities]),
  ];
  return path.join(folder, ['kernel:' + name, ...options].join(','));
}
