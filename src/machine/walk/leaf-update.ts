/**
 * What a walk with FEAT_HAFDBS does with the leaf it ends at, before anything is cached or used:
 *
 *   AF clear                        any walk, a prefetch too, sets AF
 *   DBM set, S2AP[1] clear          the walk of a store sets S2AP[1]: writable-clean becomes dirty
 *
 * by one compare-exchange with what it loaded. If the leaf is another by now the walk begins again.
 * A prefetch never sets S2AP[1]: dirty state stands for a store that is architecturally performed.
 *
 * With FEAT_HDBSS what is about to become dirty is appended to the PE's ring first (hdbss-ring.ts); if that
 * is full the leaf stays as it is, and the store faults.
 *
 * No update is a transition of the protocol, and none accuses anybody but one that reaches a table page
 * after it was freed: that is evidence, whether it found poison or the next user's descriptors.
 */
import { AF, S2AP_W } from '../../arch/descriptor.ts';
import {
  GENERATION_TAG_MASK,
  META_GENERATION,
  META_STATE,
  META_WORDS,
  PAGE_STATE,
} from '../../pgtable/page-meta.ts';
import type { Arena } from '../arena.ts';
import { createDescriptorUpdate } from './descriptor-update.ts';
import type { HdbssRing } from '../dirty/hdbss-ring.ts';
import { basePageOf } from '../layout.ts';
import { EVENT, EVIDENCE, FREED_READER, type Recorder } from '../recorder.ts';
import { WALKED } from './table-walk.ts';
import { MISS } from '../tlb/tlb.ts';
import { FAULT, FLAG_CLEAN, FLAG_W } from '../tlb-entry.ts';
import type { WalkCache } from '../tlb/walk-cache.ts';

const AF_BIT = Number(AF);
const S2AP_W_BIT = Number(S2AP_W);
/** Software bits [58:55] as bits of the high half. */
const TAG_SHIFT = 55 - 32;

/**
 * Sets in the leaf of `data`, whose halves the walk for `page` has loaded at `level`, what that walk has
 * to. The data word to use, a FAULT, or MISS: the leaf is another by now.
 */
export type LeafUpdate = (
  page: number,
  low: number,
  high: number,
  level: number,
  data: number,
  isStore: boolean,
) => number;

/** `scratchW` is where the walk has left what it loaded (table-walk.ts). `ring`: the PE's, if it has one. */
export function createLeafUpdate(
  arena: Arena,
  scratchW: number,
  walkCache: WalkCache,
  recorder: Recorder,
  ring: HdbssRing | null,
): LeafUpdate {
  const { i32, layout } = arena;
  const { indexBits, startLevel, metaW, tablesB, entriesPerTable } = layout;
  const ipaBasePage = basePageOf(layout);
  const exchange = createDescriptorUpdate(arena.handle.memory);

  /** Byte address of the entry of `table` that a walk for `page` reads at `level`. */
  function entryB(page: number, level: number, table: number): number {
    const number = (page + ipaBasePage) >> (indexBits * (3 - level));
    const index = level === startLevel ? number : number & (entriesPerTable - 1);
    return tablesB + (table * entriesPerTable + index) * 8;
  }

  /**
   * Generation that the link to the table in which a walk for `page` has read its entry of `level`
   * carried. The link is in the walk cache, whether the walk went through it or began behind it;
   * without a walk cache every walk loads it.
   */
  function generationOfLink(page: number, level: number): number {
    const cached = walkCache.lookup(page, level - 1);
    const high = i32[scratchW + WALKED.descriptors + 2 * (level - 1) + 1] as number;
    return (cached >= 0 ? cached : high >>> TAG_SHIFT) & GENERATION_TAG_MASK;
  }

  /** Has an update of an entry of `level` reached `table` after it was freed? Then it is evidence. */
  function isFreed(page: number, table: number, level: number): boolean {
    // Start tables are never freed.
    if (level === startLevel) return false;
    const tag = generationOfLink(page, level);
    const meta = metaW + table * META_WORDS;
    const generation = Atomics.load(i32, meta + META_GENERATION) & GENERATION_TAG_MASK;
    const state = Atomics.load(i32, meta + META_STATE);
    const isFree = state === PAGE_STATE.free || state === PAGE_STATE.freeing;
    if (generation === tag && !isFree) return false;
    const { update } = FREED_READER;
    recorder.evidence(EVIDENCE.freed, page, update, table, tag, generation, isFree ? 1 : 0);
    return true;
  }

  return (page, low, high, level, data, isStore) => {
    const isMadeDirty = isStore && (data & FLAG_CLEAN) !== 0;
    const newLow = low | AF_BIT | (isMadeDirty ? S2AP_W_BIT : 0);
    if (newLow === low) return data;
    if (isMadeDirty && ring !== null && !ring.append(page, level)) return FAULT.ringFull;
    const table = i32[scratchW + WALKED.tables + level] as number;
    const isDone = exchange(entryB(page, level, table), low, high, newLow);
    if (isFreed(page, table, level)) return FAULT.translation;
    if (!isDone) return MISS;
    recorder.event(EVENT.updated, page, level, newLow ^ low);
    return isMadeDirty ? data ^ (FLAG_CLEAN | FLAG_W) : data;
  };
}
