/**
 * A TLBI as a log record of 8 words, and what a vCPU does when it applies one.
 *
 *   word   0     1       2           3          4     5..7
 *        kind   VMID   first page  end page    TTL   unused        pages relative to the first region
 *
 * A vCPU may have to apply more than it saw (its ring overran): it then empties everything, which
 * is always allowed.
 */
import {
  isLastLevelOnly,
  reaches,
  scopeOf,
  TLBI_KINDS,
  type TlbiKind,
  type TlbiOp,
} from '../../arch/tlbi.ts';
import { assert } from '../../arch/assert.ts';
import { basePageOf, type Layout, VMID } from '../layout.ts';
import type { Tlb } from './tlb.ts';
import type { WalkCache } from './walk-cache.ts';

/**
 * What any entry can cover, in pages from the first region on: a walk-cache entry of the start level
 * begins before the first region and reaches beyond the last, and an address there removes it too.
 */
function reachOf(layout: Layout): { readonly first: number; readonly end: number } {
  const span = 2 ** (layout.indexBits * (3 - layout.startLevel));
  const base = basePageOf(layout);
  return {
    first: Math.floor(base / span) * span - base,
    end: Math.ceil((base + layout.pages) / span) * span - base,
  };
}

export interface TlbSet {
  readonly combined: Tlb;
  readonly stage2: Tlb;
  readonly walk: WalkCache;
}

export interface TlbiCodec {
  /** Writes an interrupt, which removes nothing, at word `at` of `words`. */
  encodeInterrupt(words: Int32Array, at: number): void;
  /** Writes `op` at word `at` of `words`. Allocates nothing. */
  encode(words: Int32Array, at: number, op: TlbiOp): void;
  /** Applies the record at word `at` of `words` to one PE's structures. */
  apply(words: Int32Array, at: number, tlbs: TlbSet): void;
}

/** Word 0 of a record that is no TLBI. */
export const INTERRUPT = -1;

const COMBINED = 1;
const STAGE2 = 2;
const WALK = 4;
const BY_ADDRESS = 8;
const EVERY_VMID = 16;
const RANGE = 32;

function bitsOf(kind: TlbiKind): number {
  const scope = scopeOf(kind);
  return (
    (reaches(kind, 'combined') ? COMBINED : 0) |
    (reaches(kind, 'stage2') ? STAGE2 : 0) |
    (reaches(kind, 'walk') && !isLastLevelOnly(kind) ? WALK : 0) |
    (scope === 'address' || scope === 'range' ? BY_ADDRESS : 0) |
    (scope === 'all' ? EVERY_VMID : 0) |
    (scope === 'range' ? RANGE : 0)
  );
}

/**
 * What the kinds do is looked up once: issuing and applying lie in the window of a transition, and
 * arrays and powers cost more there than the TLB itself.
 */
export function createTlbiCodec(layout: Layout): TlbiCodec {
  const facts = Int32Array.from(TLBI_KINDS, bitsOf);
  const { ipaBase, pages } = layout;
  const pageBytes = 2 ** layout.pageShift;
  const { first, end } = reachOf(layout);
  const within = (page: number): number => Math.max(first - 1, Math.min(page, end));

  return {
    encodeInterrupt(words, at) {
      words[at] = INTERRUPT;
    },
    encode(words, at, op) {
      const kind = TLBI_KINDS.indexOf(op.kind);
      let from = 0;
      let to = pages;
      const bits = facts[kind] as number;
      if ((bits & BY_ADDRESS) !== 0) {
        if (op.ipa === undefined) assert(false, `${op.kind} needs an IPA`);
        const bytes = (bits & RANGE) === 0 ? 1 : (op.size ?? 0);
        from = Math.floor((op.ipa - ipaBase) / pageBytes);
        to = bytes <= 0 ? from : Math.ceil((op.ipa - ipaBase + bytes) / pageBytes);
      }
      words[at] = kind;
      words[at + 1] = op.vmid ?? VMID;
      words[at + 2] = within(from);
      words[at + 3] = within(to);
      words[at + 4] = op.ttl ?? 0;
    },
    apply(words, at, tlbs) {
      if (words[at] === INTERRUPT) return;
      const bits = facts[words[at] as number] as number;
      const vmid = (bits & EVERY_VMID) === 0 ? (words[at + 1] as number) : -1;
      const from = words[at + 2] as number;
      const to = words[at + 3] as number;
      const byAddress = (bits & BY_ADDRESS) !== 0;
      if (byAddress && to <= from) return;
      const ttl = byAddress ? (words[at + 4] as number) : 0;
      if ((bits & COMBINED) !== 0) tlbs.combined.invalidate(vmid, from, to, ttl);
      if ((bits & STAGE2) !== 0) tlbs.stage2.invalidate(vmid, from, to, ttl);
      if ((bits & WALK) !== 0) tlbs.walk.invalidate(vmid, from, to, ttl);
    },
  };
}
