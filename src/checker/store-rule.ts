/**
 * May this valid descriptor be stored here now? The decision table of FEAT_BBM for one store, pure.
 *
 *                        level 0     level 1                                   levels 2 and 3
 *   table -> block       BBM         block must have nT                        direct
 *   block -> table       BBM         block must have nT, and be flushed so     direct
 *   nT cleared           -           only once the table is flushed            any time
 *   OA, memory type, SH  BBM         BBM                                       BBM
 *   permissions, sw bits direct      direct                                    direct
 *   any of these with    BBM         BBM                                       BBM
 *   the size
 *
 * R_KFLJB, R_PVTFW, R_WHZWS; the nT sequences are those of SMMU IHI0070H.a 3.21.1. A valid store
 * over an invalid entry that is not clean yet is judged as the change from the last valid
 * descriptor: to a TLB the break never happened.
 */
import { assertNever } from '../arch/assert.ts';
import {
  attributesOf,
  type Descriptor,
  hasNt,
  NT,
  outputAddress,
  sameButState,
  SW_MASK,
  typeOf,
} from '../arch/descriptor.ts';
import { type BbmLevel, type ChangeRule, changeRule } from '../arch/feat-bbm.ts';
import type { Geometry, Level } from '../arch/geometry.ts';

export interface Store {
  readonly geometry: Geometry;
  readonly level: Level;
  readonly bbm: BbmLevel;
  /** The last valid descriptor the entry held, and the one now stored. */
  readonly before: Descriptor;
  readonly after: Descriptor;
  /** The entry holds an invalid descriptor at this moment. */
  readonly broken: boolean;
  /**
   * Translations of older descriptors may still be cached: none, only of what `after` maps too (the
   * same block without nT, other permissions), or of another size or mapping.
   */
  readonly unclean: 'no' | 'same' | 'other';
  /** What changes beside the size, by name. */
  readonly besideSize: readonly string[];
}

export type StoreCode =
  | 'valid-to-valid'
  | 'valid-over-unclean'
  | 'block-without-nt'
  | 'split-without-nt'
  | 'changed-with-size'
  | 'split-nt-unflushed'
  | 'nt-cleared-early';

/**
 * What must (or should) be flushed because of the store. `keep`: what was pending stays pending.
 */
export type Consequence =
  | 'none'
  | 'keep'
  /** `before` must be flushed as well: it differs, or lacks the nT that is to protect it. */
  | 'must-flush'
  /** R_GPPYH asks for a TLBI; nothing wrong can be seen without it. */
  | 'should-flush';

export interface StoreVerdict {
  readonly violation: StoreCode | null;
  readonly consequence: Consequence;
  /** What the change was, for sentences: `table to block`, `output address`. */
  readonly change: string;
}

const withoutSw = (d: Descriptor): Descriptor => d & ~SW_MASK;

/**
 * Equal but for the software bits, which hardware ignores, and for what hardware itself sets in a
 * leaf (FEAT_HAFDBS).
 */
export function sameMapping(a: Descriptor, b: Descriptor): boolean {
  return sameButState(withoutSw(a), withoutSw(b));
}

/**
 * changeRule for what hardware compares: no software bits, and no nT, which in the small
 * granules lies inside the address field of a block.
 */
export function ruleOf(
  g: Geometry,
  level: Level,
  before: Descriptor,
  after: Descriptor,
): ChangeRule {
  const bare = (d: Descriptor): Descriptor => withoutSw(hasNt(d, level) ? d & ~NT : d);
  return changeRule(g, level, bare(before), bare(after));
}

function direct(s: Store): StoreVerdict {
  const change = 'same size and address';
  const hadNt = hasNt(s.before, s.level);
  const hasNtNow = hasNt(s.after, s.level);
  if (hadNt && !hasNtNow) {
    const early = s.unclean === 'other' && s.bbm === 1;
    const violation = early ? 'nt-cleared-early' : null;
    return { violation, consequence: 'should-flush', change: 'nT cleared' };
  }
  if (!hadNt && hasNtNow) {
    return { violation: null, consequence: s.broken ? 'keep' : 'must-flush', change: 'nT set' };
  }
  if (sameMapping(s.before, s.after)) {
    return { violation: null, consequence: 'keep', change };
  }
  return { violation: null, consequence: 'should-flush', change: 'permissions' };
}

/** A size change may change nothing else, however it is made without a break (R_PVTFW, R_WHZWS). */
function sizeChange(s: Store): StoreVerdict {
  const verdict = sizeAlone(s);
  if (verdict.violation !== null || s.besideSize.length === 0) return verdict;
  const change = `${verdict.change}, and ${s.besideSize.join(', ')}`;
  return { ...verdict, violation: 'changed-with-size', change };
}

function sizeAlone(s: Store): StoreVerdict {
  const to = typeOf(s.after, s.level);
  const change = `${typeOf(s.before, s.level)} to ${to}`;
  if (s.broken) {
    const allowed = s.bbm >= 2 || (s.bbm === 1 && hasNt(s.after, s.level));
    return { violation: allowed ? null : 'valid-over-unclean', consequence: 'keep', change };
  }
  const must = (violation: StoreCode | null): StoreVerdict => ({
    violation,
    consequence: 'must-flush',
    change,
  });
  switch (s.bbm) {
    case 0:
      return must('valid-to-valid');
    case 1:
      if (to === 'block') return must(hasNt(s.after, s.level) ? null : 'block-without-nt');
      if (!hasNt(s.before, s.level)) return must('split-without-nt');
      if (s.unclean !== 'no') return must('split-nt-unflushed');
      // A PE of level 1 does not cache an nT block, so only R_GPPYH is left.
      return { violation: null, consequence: 'should-flush', change };
    case 2:
    case 3:
      return must(null);
    default:
      return assertNever(s.bbm);
  }
}

function differences(s: Store): string {
  if (typeOf(s.after, s.level) === 'table') return 'one table to another';
  const a = attributesOf(s.before, s.level);
  const b = attributesOf(s.after, s.level);
  const moved =
    outputAddress(s.geometry, s.before, s.level) !== outputAddress(s.geometry, s.after, s.level);
  const parts = [
    moved ? 'output address' : '',
    a.memAttr === b.memAttr ? '' : 'memory type',
    a.sh === b.sh ? '' : 'shareability',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

export function judgeStore(s: Store): StoreVerdict {
  if (s.broken && s.unclean === 'no') {
    return { violation: null, consequence: 'none', change: 'invalid to valid' };
  }
  const rule = ruleOf(s.geometry, s.level, s.before, s.after);
  switch (rule) {
    case 'direct':
      return direct(s);
    case 'size-change':
      return sizeChange(s);
    case 'break-before-make':
      return {
        violation: s.broken ? 'valid-over-unclean' : 'valid-to-valid',
        consequence: s.broken ? 'keep' : 'must-flush',
        change: differences(s),
      };
    default:
      return assertNever(rule);
  }
}
