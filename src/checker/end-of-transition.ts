/**
 * Where a transition must have arrived: coalesce at the wanted block, split at some table, a block
 * that moves at its new place, nT cleared.
 */
import {
  describeDescriptor,
  type Descriptor,
  hasNt,
  isValid,
  LOCKED,
  NT,
  outputAddress,
  sameButState,
  softwareBits,
  typeOf,
} from '../arch/descriptor.ts';
import type { TransitionTrace } from '../port/trace.ts';
import type { FindingCode } from './automaton-verdict.ts';
import { leafDifference } from './leaf-difference.ts';
import { geometryOfTrace } from './place.ts';
import { sameMapping } from './store-rule.ts';

export interface Shortcoming {
  readonly code: FindingCode;
  readonly why: string;
}

/** Of the output address of a block, what every granule and level has: bits [47:21]. */
const BLOCK_ADDRESS = 0xffff_ffe0_0000n;

/** Block to block, elsewhere: nobody asked for a table. */
function moves({ old, wanted }: TransitionTrace): boolean {
  return ((old ^ wanted) & BLOCK_ADDRESS) !== 0n;
}

function wantedPa(trace: TransitionTrace): number {
  return outputAddress(geometryOfTrace(trace), trace.wanted, trace.level);
}

/**
 * What is wrong with ending at `last`, or null. `stored`: the protocol stored to the entry at all.
 */
export function judgeEnd(
  trace: TransitionTrace,
  last: Descriptor,
  stored: boolean,
): Shortcoming | null {
  const { level, wanted } = trace;
  const split = typeOf(trace.old, level) === 'block' && !moves(trace);
  if (split && typeOf(last, level) === 'table') return null;
  if (!split && sameMapping(last, wanted)) {
    if (sameButState(last, wanted)) return null;
    const why =
      `the transition ends with the wanted block, but its software bits are ${softwareBits(last)} ` +
      `instead of ${softwareBits(wanted)}: a protocol passes them on as they are`;
    return { code: 'ends-elsewhere', why };
  }
  if (!isValid(last)) {
    const locked = last === LOCKED ? ' (LOCKED): every vCPU that faults comes back for ever' : '';
    return { code: 'ends-invalid', why: `the transition ends with the entry invalid${locked}` };
  }
  const nt = hasNt(last, level) && !hasNt(wanted, level);
  if (nt && sameMapping(last & ~NT, wanted & ~NT)) {
    const why = split
      ? 'the transition ends with the block and nT set instead of a table'
      : 'the transition ends with nT still set, so no TLB caches the block (I_DXRJK)';
    return { code: 'ends-with-nt', why };
  }
  const g = geometryOfTrace(trace);
  const aim = split ? 'a table' : `the wanted ${describeDescriptor(g, wanted, level)}`;
  const differs =
    split || typeOf(last, level) !== 'block'
      ? null
      : leafDifference(g, { d: last, level }, { d: wanted, level, pa: wantedPa(trace) });
  const why =
    `the transition ends with the ${describeDescriptor(g, last, level)} instead of ${aim}` +
    (differs === null ? '' : `: it ${differs}`) +
    (stored ? '' : ': nothing was stored to the entry');
  return { code: 'ends-elsewhere', why };
}
