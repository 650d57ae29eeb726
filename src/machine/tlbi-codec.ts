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
} from '../arch/tlbi.ts';
import { assert } from '../arch/assert.ts';
import type { Layout } from './layout.ts';
import { VMID } from './layout.ts';
import type { Tlb } from './tlb.ts';
import type { WalkCache } from './walk-cache.ts';

/**
 * End of what any entry can cover, in pages: a walk-cache entry of the start level reaches beyond
 * the last region, and an address there removes it too. Below the first region nothing begins.
 */
function reachOf(layout: Layout): number {
  const span = 2 ** (layout.indexBits * (3 - layout.startLevel));
  return Math.ceil(layout.pages / span) * span;
}

/** Writes `op` at word `at`. Allocates nothing. */
export function encodeTlbi(i32: Int32Array, at: number, op: TlbiOp, layout: Layout): void {
  const scope = scopeOf(op.kind);
  let from = 0;
  let to = layout.pages;
  if (scope === 'address' || scope === 'range') {
    assert(op.ipa !== undefined, `${op.kind} needs an IPA`);
    const bytes = scope === 'range' ? (op.size ?? 0) : 1;
    from = Math.floor((op.ipa - layout.ipaBase) / 2 ** layout.pageShift);
    if (bytes <= 0) to = from;
    else to = Math.ceil((op.ipa - layout.ipaBase + bytes) / 2 ** layout.pageShift);
  }
  i32[at] = TLBI_KINDS.indexOf(op.kind);
  i32[at + 1] = op.vmid ?? VMID;
  const reach = reachOf(layout);
  i32[at + 2] = Math.max(-1, Math.min(from, reach));
  i32[at + 3] = Math.max(-1, Math.min(to, reach));
  i32[at + 4] = op.ttl ?? 0;
}

export interface TlbSet {
  readonly combined: Tlb;
  readonly stage2: Tlb;
  readonly walk: WalkCache;
}

/** Applies the record at word `at` to one PE's structures. */
export function applyTlbi(i32: Int32Array, at: number, tlbs: TlbSet): void {
  const kind = TLBI_KINDS[i32[at] as number] as TlbiKind;
  const scope = scopeOf(kind);
  const vmid = scope === 'all' ? -1 : (i32[at + 1] as number);
  const from = i32[at + 2] as number;
  const to = i32[at + 3] as number;
  if (scope !== 'all' && scope !== 'vmid' && to <= from) return;
  const byAddress = scope === 'address' || scope === 'range';
  const ttl = byAddress ? (i32[at + 4] as number) : 0;
  if (reaches(kind, 'combined')) tlbs.combined.invalidate(vmid, from, to, ttl);
  if (reaches(kind, 'stage2')) tlbs.stage2.invalidate(vmid, from, to, ttl);
  if (reaches(kind, 'walk') && !isLastLevelOnly(kind)) tlbs.walk.invalidate(vmid, from, to, ttl);
}
