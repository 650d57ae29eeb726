/**
 * Where a transition must have arrived: coalesce at the wanted block, split at some table, nT
 * cleared.
 */
import { type Descriptor, hasNt, isValid, NT, typeOf } from '../arch/descriptor.ts';
import type { TransitionTrace } from '../port/trace.ts';
import type { FindingCode } from './automaton-verdict.ts';
import { sameMapping } from './store-rule.ts';

export interface Shortcoming {
  readonly code: FindingCode;
  readonly why: string;
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
  const split = typeOf(trace.old, level) === 'block';
  if (split ? typeOf(last, level) === 'table' : sameMapping(last, wanted)) return null;
  if (!isValid(last)) {
    return { code: 'ends-invalid', why: 'the transition ends with the entry invalid' };
  }
  const nt = hasNt(last, level) && !hasNt(wanted, level);
  if (nt && sameMapping(last & ~NT, wanted & ~NT)) {
    const why = split
      ? 'the transition ends with the block and nT set instead of a table'
      : 'the transition ends with nT still set, so no TLB caches the block (I_DXRJK)';
    return { code: 'ends-with-nt', why };
  }
  const hex = (d: Descriptor): string => `0x${d.toString(16)}`;
  const aim = split ? 'a table' : `the wanted block ${hex(wanted)}`;
  const why =
    `the transition ends with the ${typeOf(last, level)} ${hex(last)} instead of ${aim}` +
    (stored ? '' : ': nothing was stored to the entry');
  return { code: 'ends-elsewhere', why };
}
