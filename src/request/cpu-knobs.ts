/**
 * The knobs of `--cpu`: one row each, used to parse the flag, to print help and `list`, and to
 * check the `cpu` field of a user's protocol.
 */
import {
  type CpuModel,
  DEFAULT_CPU,
  MULTIHIT_BEHAVIOURS,
  NT_BEHAVIOURS,
  TLBI_COMPLETIONS,
} from '../arch/cpu-model.ts';
import { VMID_BITS, type VmidBits } from '../arch/context.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { UsageError, within } from './usage-error.ts';
import { keyValue, listOf, nameOf, onOff, oneOf } from './values.ts';

export interface CpuKnob<T = unknown> {
  /** Value syntax as help prints it. */
  readonly values: string;
  readonly help: string;
  readonly parse: (text: string) => T;
}

type KnobTable = { readonly [K in keyof CpuModel]: CpuKnob<CpuModel[K]> };

export const TLB_MAX = 4096;
const PES_MAX = 64;
/** Of `bbmid`: the ID field says what the PEs do. */
const SAME = 'same';

export const CPU_KNOBS: KnobTable = {
  bbm: {
    values: '0..3 or per PE 2/1',
    help: 'FEAT_BBM level; protocols see the minimum over all PEs',
    parse: bbmLevels,
  },
  nt: {
    values: NT_BEHAVIOURS.join('|'),
    help: 'what a PE does with a block whose nT bit is set',
    parse: oneOf(NT_BEHAVIOURS),
  },
  multihit: {
    values: MULTIHIT_BEHAVIOURS.join('|'),
    help: 'what a PE does when two TLB entries match',
    parse: oneOf(MULTIHIT_BEHAVIOURS),
  },
  spec: {
    values: 'off|on',
    help: 'a prefetching walker fills TLB entries nobody asked for',
    parse: onOff,
  },
  hafdbs: {
    values: 'off|on',
    help: 'the walker itself sets the access flag and dirty state',
    parse: onOff,
  },
  ets: {
    values: 'none|ets2',
    help: 'enhanced translation synchronization',
    parse: oneOf(['none', 'ets2']),
  },
  tlb: {
    values: `0|1|2|4..${TLB_MAX}`,
    help: 'entries per TLB structure; 0 is no TLB',
    parse: tlbEntries,
  },
  walkcache: { values: 'off|on', help: 'intermediate levels are cached', parse: onOff },
  tlbi: {
    values: TLBI_COMPLETIONS.join('|'),
    help: 'errata: what TLBI and DSB leave behind',
    parse: oneOf(TLBI_COMPLETIONS),
  },
  hdbss: {
    values: 'off|on',
    help: 'stress: what walkers make dirty goes into rings',
    parse: onOff,
  },
  bbmid: {
    values: 'same|0..3',
    help: 'BBM level that the ID field says, where that is less',
    parse: bbmId,
  },
  vmid: {
    values: VMID_BITS.join('|'),
    help: 'bits of a VMID; with 8 the upper byte of a number is left out',
    parse: vmidBits,
  },
};

export const CPU_KNOB_NAMES = Object.keys(CPU_KNOBS) as readonly (keyof CpuModel)[];

/** A knob's value in the spelling of the command line. */
export function knobText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const text = Array.isArray(value) ? value.join('/') : String(value);
  return text === 'null' ? SAME : text;
}

export function defaultKnobText(name: keyof CpuModel): string {
  return knobText(DEFAULT_CPU[name]);
}

/** `bbm=1,nt=fault,…`: only what is named. */
export function parseCpu(text: string): Partial<CpuModel> {
  const cpu: Partial<Record<keyof CpuModel, unknown>> = {};
  for (const part of listOf((item) => item)(text)) {
    const [key, value] = keyValue(part, 'bbm=1');
    const name = nameOf('CPU knob', CPU_KNOB_NAMES)(key);
    if (name in cpu) throw new UsageError(`${name} is there twice`);
    cpu[name] = within(`${name}=${value}`, () => CPU_KNOBS[name].parse(value));
  }
  return cpu as Partial<CpuModel>;
}

function bbmLevels(text: string): readonly BbmLevel[] {
  const levels = text.split('/');
  if (levels.every((level) => /^[0-3]$/.test(level)) && levels.length <= PES_MAX) {
    return levels.map((level) => Number(level) as BbmLevel);
  }
  throw new UsageError(`"${text}" is not a BBM level from 0 to 3, or one per PE such as 2/1`);
}

function bbmId(text: string): BbmLevel | null {
  if (text === SAME) return null;
  if (/^[0-3]$/.test(text)) return Number(text) as BbmLevel;
  throw new UsageError(`"${text}" is not a BBM level from 0 to 3, nor ${SAME}`);
}

function vmidBits(text: string): VmidBits {
  const bits = VMID_BITS.find((each) => String(each) === text);
  if (bits !== undefined) return bits;
  throw new UsageError(`"${text}" is no width of a VMID: 8 or 16`);
}

function tlbEntries(text: string): number {
  const entries = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (
    entries >= 0 &&
    entries <= TLB_MAX &&
    Number.isInteger(entries === 0 ? 0 : Math.log2(entries))
  )
    return entries;
  throw new UsageError(`"${text}" is not 0 or a power of two up to ${TLB_MAX}`);
}
