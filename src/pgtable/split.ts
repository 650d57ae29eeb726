/**
 * Block to table, as the software side does it outside a protocol under test.
 *
 *   lazy    v5.10 and later, the dirty-logging write fault: break the block, link an *empty* table,
 *           map one page. All other pages are faulted in again.
 *   eager   v6.5, kvm_pgtable_stage2_split: build the whole subtree unseen, break the block, link
 *           it. Nothing faults afterwards. The case of too few cached pages (one level at a time)
 *           is left out.
 */
import { attributesOf, isLeaf, outputAddress } from '../arch/descriptor.ts';
import { childLevel, entrySize, type Level } from '../arch/geometry.ts';
import { make, tryBreak } from './break-make.ts';
import { findLeaf } from './lookup.ts';
import { map, type MapResult } from './map.ts';
import type { Stage2 } from './stage2.ts';

/**
 * Splits the block over `ipa` down to the one page that contains it. `again`: there is no block to
 * split.
 */
export function splitLazy(s2: Stage2, ipa: number): MapResult {
  const { geometry: g } = s2;
  const leaf = findLeaf(s2, ipa);
  if (leaf === null) return { kind: 'error', why: 'out-of-range' };
  if (leaf.level === 3 || !isLeaf(leaf.old, leaf.level)) return { kind: 'again', why: 'same', ipa };
  const pageBytes = 2 ** g.pageShift;
  const page = Math.floor(ipa / pageBytes) * pageBytes;
  const pa = outputAddress(g, leaf.old, leaf.level) + (page % entrySize(g, leaf.level));
  const attributes = { ...attributesOf(leaf.old, leaf.level), nT: false };
  return map(s2, { ipa: page, size: pageBytes, pa, attributes });
}

export type SplitResult =
  | { readonly kind: 'split'; readonly level: Level }
  | { readonly kind: 'again' };

/**
 * Splits the block over `ipa` into all its pages. `again`: no block there, or somebody else changed
 * it first.
 */
export function splitEager(s2: Stage2, ipa: number): SplitResult {
  const { tables, cpu } = s2;
  const leaf = findLeaf(s2, ipa);
  if (leaf === null || leaf.level === 3 || !isLeaf(leaf.old, leaf.level)) return { kind: 'again' };
  const table = tables.buildSubtree(leaf.level, leaf.old);
  if (!tryBreak(s2, leaf)) {
    tables.tearDown(table, childLevel(leaf.level));
    return { kind: 'again' };
  }
  make(s2, leaf.entry, tables.descriptorFor(table));
  cpu.dsb('ishst');
  return { kind: 'split', level: leaf.level };
}
