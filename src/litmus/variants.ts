/** The `Variant=` line: what it means here, or why it cannot be had. */
import { ALL_ARCHITECTURES, type Architecture } from '../explore/model/index.ts';
import { Unsupported } from './errors.ts';
import type { LitmusTest } from './test-case.ts';

/**
 * What follows a fault in a thread without a handler: nothing, the next instruction, or the same
 * one again. The second fault of one access drops the execution, as in herd: it would be an endless
 * loop or the same again.
 */
export type FaultHandling = 'end-thread' | 'next-instruction' | 'retry';

export interface Variants {
  readonly handling: FaultHandling;
  /** The architecture a test asks for; null: it leaves that open. */
  readonly arch: Architecture | null;
}

const HANDLINGS: Readonly<Record<string, FaultHandling>> = {
  fatal: 'end-thread',
  precise: 'end-thread',
  sync: 'end-thread',
  synchronous: 'end-thread',
  handled: 'retry',
  imprecise: 'retry',
  async: 'retry',
  asynchronous: 'retry',
  skip: 'next-instruction',
  faulttonext: 'next-instruction',
};

/** Throws Unsupported for a word that means something else to herd, or nothing. */
export function variantsOf(info: LitmusTest['info']): Variants {
  const variant = info.get('variant');
  let handling: FaultHandling = 'end-thread';
  let arch: Architecture | null = null;
  for (const name of (variant?.value ?? '').split(',').map((part) => part.trim().toLowerCase())) {
    if (['', 'vmsa', 'kvm'].includes(name)) continue;
    const asked = ALL_ARCHITECTURES.find((known) => known === name && known !== 'base');
    const kind = HANDLINGS[name];
    if (asked) arch = stronger(arch ?? 'base', asked);
    else if (kind) handling = kind;
    else throw new Unsupported(`Variant=${name}`, variant?.line ?? null);
  }
  return { handling, arch };
}

/** FEAT_ETS3 implies FEAT_ETS2. */
export function stronger(a: Architecture, b: Architecture): Architecture {
  return ALL_ARCHITECTURES.indexOf(a) >= ALL_ARCHITECTURES.indexOf(b) ? a : b;
}
