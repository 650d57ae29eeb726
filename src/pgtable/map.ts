/**
 * kvm_pgtable_stage2_map: maps a range with the largest leaves that fit it, as v5.12 does under an
 * exclusive lock and as v6.2 does beside other vCPUs. The request's size is the mapping size the
 * fault handler chose.
 *
 *   entry holds              a leaf of this level fits      it does not
 *   nothing                  make                           new table, walk on into it
 *   the same leaf, or one    again: permissions change      break, new empty table, walk on: the
 *   of other permissions     through relax (v5.12)          rest of the block is faulted in later
 *   another leaf             break, make                    the same
 *   a table                  coalesce (map-table.ts)        walk on into it
 *
 * The output address follows from the IPA at every step (1f0f4a2ef7a5, v6.4), never from a counter.
 * The software bits are the harness's and not compared. Leaves out icache maintenance, pKVM's owner
 * ids, and the memcache.
 */
import { assertNever } from '../arch/assert.ts';
import {
  AF,
  DBM,
  type Descriptor,
  isValid,
  type LeafAttributes,
  LOCKED,
  makeLeaf,
  S2AP_R,
  S2AP_W,
  SW_MASK,
  XN_SHIFT,
} from '../arch/descriptor.ts';
import { childLevel, entrySize, type Level } from '../arch/geometry.ts';
import { make, tryBreak } from './break-make.ts';
import { type AgainWhy, type Coalesce, createTableVisits } from './map-table.ts';
import { leafFits, type Stage2 } from './stage2.ts';
import { type Step, type Visit, walk } from './walker.ts';

export interface MapRequest {
  readonly ipa: number;
  readonly size: number;
  readonly pa: number;
  readonly attributes: LeafAttributes;
  /**
   * Clean the data cache of every new leaf while its entry is broken (v5.14 and later without FWB).
   */
  readonly cleanCache?: boolean;
  /** How a table becomes a block; absent: as this generation of KVM does it. */
  readonly coalesce?: Coalesce;
  /**
   * A block where a smaller leaf was asked for is left alone: somebody has coalesced meanwhile, and
   * the access will find it. KVM splits it again.
   */
  readonly keepsBlocks?: boolean;
}

export type MapResult =
  | { readonly kind: 'mapped' }
  | { readonly kind: 'again'; readonly why: AgainWhy; readonly ipa: number }
  | { readonly kind: 'error'; readonly why: 'out-of-range' };

/** KVM_PTE_LEAF_ATTR_S2_PERMS, with both bits of FEAT_XNX, and DBM: with it a store is allowed. */
const PERMISSION_BITS: Descriptor = S2AP_R | S2AP_W | DBM | (3n << XN_SHIFT);

function compareLeaves(
  { hafdbs }: Stage2,
  old: Descriptor,
  wanted: Descriptor,
): 'same' | 'permission' | 'different' {
  const difference = (old ^ wanted) & ~(hafdbs ? SW_MASK | AF : SW_MASK);
  if (difference === 0n) return 'same';
  return (difference & ~PERMISSION_BITS) === 0n ? 'permission' : 'different';
}

export function map(s2: Stage2, request: MapRequest): MapResult {
  const { geometry: g, tables } = s2;
  const { ipa: firstIpa, attributes } = request;
  const paOf = (ipa: number): number => request.pa + (ipa - firstIpa);
  const fits = (v: Visit): boolean => leafFits(g, v.level, v.ipa, v.end, paOf(v.ipa));
  const leafFor = (v: Visit): Descriptor => makeLeaf(g, v.level, paOf(v.ipa), attributes);

  /** Breaks what is there and makes `d`; `before` runs while the entry is broken. */
  function replace(v: Visit, d: Descriptor, before?: () => void): Step<AgainWhy> {
    if (!tryBreak(s2, v)) return 'raced';
    before?.();
    make(s2, v.entry, d);
    return null;
  }

  function clean(v: Visit): void {
    if (request.cleanCache === true) tables.cleanDcache(paOf(v.ipa), entrySize(g, v.level));
  }

  function mapLeaf(v: Visit): Step<AgainWhy> {
    if (s2.shared && v.old === LOCKED) return 'locked';
    if (!fits(v)) return makeTable(v, childLevel(v.level));
    const wanted = leafFor(v);
    const comparison = isValid(v.old) ? compareLeaves(s2, v.old, wanted) : 'different';
    return comparison === 'different' ? replace(v, wanted, () => clean(v)) : comparison;
  }

  function makeTable(v: Visit, level: Level): Step<AgainWhy> {
    if (request.keepsBlocks === true && isValid(v.old)) return 'raced';
    const child = tables.allocate(level);
    const step = replace(v, tables.descriptorFor(child));
    if (step !== null) tables.freeNow(child);
    return step;
  }

  const visits = createTableVisits(s2, {
    fits,
    leafFor,
    clean,
    mapLeaf,
    coalesce: request.coalesce,
  });
  const result = walk(s2, firstIpa, request.size, visits.visitor, visits.options);
  s2.cpu.dsb('ishst');
  switch (result.kind) {
    case 'done':
      return { kind: 'mapped' };
    case 'stopped':
      return { kind: 'again', why: result.reason, ipa: result.ipa };
    case 'out-of-range':
      return { kind: 'error', why: result.kind };
    default:
      return assertNever(result);
  }
}
