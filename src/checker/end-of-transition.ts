/**
 * Where a transition must have arrived: coalesce at the wanted block, split at some table, a block
 * that moves at its new place, nT cleared; unmapped; or left alone.
 */
import {
  describeDescriptor,
  type Descriptor,
  EMPTY,
  hasNt,
  isValid,
  LOCKED,
  NT,
  outputAddress,
  sameButState,
  softwareBits,
  typeOf,
} from '../arch/descriptor.ts';
import { changeNamed } from '../port/kinds.ts';
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

/** Is a table asked for? Where no change is named, for a block; but not elsewhere. */
function splits({ change, level, old, wanted }: TransitionTrace): boolean {
  if (change !== undefined) return changeNamed(change).to === 'table';
  return typeOf(old, level) === 'block' && ((old ^ wanted) & BLOCK_ADDRESS) === 0n;
}

/** The entry is to be invalid in the end. */
function judgeEmptied(trace: TransitionTrace, last: Descriptor): Shortcoming | null {
  if (last === EMPTY || (trace.hole === 'invalid' && !isValid(last) && last !== LOCKED))
    return null;
  const holds = describeDescriptor(geometryOfTrace(trace), last, trace.level);
  const why = isValid(last)
    ? `the transition was to unmap and ends with the ${holds}`
    : `the transition was to unmap and leaves bits in the entry (${holds}): who fills holes looks for ` +
      'an empty one';
  return { code: 'ends-elsewhere', why };
}

function wantedPa(trace: TransitionTrace): number {
  return outputAddress(geometryOfTrace(trace), trace.wanted, trace.level);
}

/**
 * What is wrong with ending at `last`, or null. `stored`: the protocol stored to the entry at all.
 * `released`: before that it found that whoever had the entry LOCKED was done.
 */
export function judgeEnd(
  trace: TransitionTrace,
  last: Descriptor,
  { stored, released }: { readonly stored: boolean; readonly released: boolean },
): Shortcoming | null {
  const { level, wanted } = trace;
  const failed = trace.events.some(({ op }) => op === 'no-memory');
  // Without memory it may as well leave things as they were.
  if (failed && sameMapping(last, trace.old)) return null;
  const aimed = trace.change === undefined ? null : changeNamed(trace.change).to;
  if (aimed === 'empty') return judgeEmptied(trace, last);
  if (aimed === 'locked' && !(stored && released)) {
    const why = 'another vCPU had LOCKED the entry, and the transition stored to it';
    return stored ? { code: 'unowned', why } : null;
  }
  const split = splits(trace);
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
    const hole = failed ? ': an allocation failed, and what was mapped is mapped no more' : '';
    const why = `the transition ends with the entry invalid${locked}${hole}`;
    return { code: 'ends-invalid', why };
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
