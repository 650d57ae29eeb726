/** Flags about code of a kernel tree. */
import {
  CAPABILITY_NAMES,
  DEFAULT_CAPABILITIES,
  OFFER_NAMES,
  TLB_FLAVOURS,
} from '../../kernel/index.ts';
import { parseCapabilities } from '../../request/kernel.ts';
import { anyText, oneOf } from '../../request/values.ts';
import { flag } from './flag.ts';

export const KERNEL = flag({
  value: 'DIR',
  help:
    'a kernel tree: its functions as protocols, all that it offers, or those that --protocol names: ' +
    `${OFFER_NAMES.join(', ')} (docs/kernels.md)`,
  default: 'none',
  parse: anyText,
});

export const KERNEL_TLB = flag({
  value: TLB_FLAVOURS.join('|'),
  help: "whose tlb.c the tree's code flushes with",
  default: TLB_FLAVOURS[0],
  parse: oneOf(TLB_FLAVOURS),
});

export const KERNEL_CAPS = flag({
  value: 'a,b,…',
  help: `what the tree's code finds the CPU to have: ${CAPABILITY_NAMES.join('|')}, or none`,
  default: DEFAULT_CAPABILITIES.join(','),
  parse: parseCapabilities,
});

export const FAULTS = flag({
  value: 'model|kernel|NAME',
  help:
    'what a vCPU runs that faults while a protocol has the entry broken: nothing of its own, the map ' +
    "function of the kernel tree under that version's lock, or a protocol of kind map (docs/kernels.md)",
  default: 'model',
  parse: anyText,
});
