/**
 * The MMU of one vCPU: its TLBs, its walk cache and the stage-2 walk, with the checks that ride
 * along.
 *
 * Every access that misses the combined TLB comes here. The walk is one 64-bit atomic load per
 * level. What it finds is compared with what some version of the mapping could be: IPAs map to
 * guest pages one to one, the high half of a leaf and of a table descriptor have fixed patterns
 * (descriptor-patterns.ts), and a table descriptor's software bits name the generation of the page it
 * points to. A mismatch is recorded as evidence (walk-evidence.ts); the walk itself goes on the way
 * hardware would. What a PE does with two matches is in conflicts.ts.
 *
 * With FEAT_HAFDBS the walk updates the leaf it ends at (leaf-update.ts).
 *
 * Leaves out: stage 1 (the guest runs with its MMU off), the contiguous bit, hardware updates of
 * table descriptors (FEAT_HAFT).
 */
import { assert } from '../../arch/assert.ts';
import type { CpuModel, NtBehaviour } from '../../arch/cpu-model.ts';
import { levelShift } from '../../arch/geometry.ts';
import { META_GENERATION, META_WORDS } from '../../pgtable/page-meta.ts';
import type { Arena } from '../arena.ts';
import type { AccessMode } from './descriptor-load.ts';
import { isAllowed } from '../ghost.ts';
import type { HdbssRing } from '../dirty/hdbss-ring.ts';
import { basePageOf, CONTROL, LINE_WORDS, LOGGING, VCPU, VMID } from '../layout.ts';
import { createLeafUpdate } from './leaf-update.ts';
import { type Recorder, VIA } from '../recorder.ts';
import { MISS, MULTIHIT } from '../tlb/tlb.ts';
import { dataLevel, dataTag, entryData, FAULT, FLAG_CLEAN, FLAG_R, FLAG_W } from '../tlb-entry.ts';
import type { TlbSet } from '../tlb/tlbi-codec.ts';
import { createTableWalk, WALKED } from './table-walk.ts';
import { createPeTlbs } from '../tlb/pe-tlbs.ts';
import { createConflicts } from './conflicts.ts';
import { descriptorPatterns } from './descriptor-patterns.ts';
import { createWalkEvidence } from './walk-evidence.ts';

/** One walk in eight starts at the root. */
const FRESH_WALK_MASK = 7;

export interface Mmu {
  readonly tlbs: TlbSet;
  /**
   * From here on behaves as `cpu`, of the same TLB size and walk cache as the one it was made with;
   * the TLBs are empty afterwards.
   */
  use(cpu: CpuModel): void;
  emptyTlbs(): void;
  /** VMALLS12E1 on this PE: what it holds of the VM under test. */
  emptyVm(): void;
  /**
   * Combined TLB, then stage-2 TLB, then the walk. Data word, or a FAULT.
   */
  translate(page: number): number;
  /**
   * The same for a store whose translation was writable-clean: the PE drops what it has cached for the
   * page and walks anew, and the walk makes the leaf dirty. The store may be performed only after this.
   */
  makeDirty(page: number): number;
  /**
   * Where the last data word came from, and what the last fault saw: for evidence and the fault
   * handler. `before` is the region's ghost word before the translation.
   */
  readonly last: {
    via: number;
    level: number;
    low: number;
    high: number;
    walks: number;
    before: number;
  };
  /**
   * Fills as a prefetching walker would: no access follows, a fault is nothing. It may set AF, as any
   * speculative walk may, and never dirty state.
   */
  prefetch(page: number): void;
}

export function createMmu(
  arena: Arena,
  vcpu: number,
  cpu: CpuModel,
  access: AccessMode,
  recorder: Recorder,
  ring: HdbssRing | null = null,
): Mmu {
  const { i32, layout, geometry } = arena;
  const { indexBits, startLevel, metaW, ghostW } = layout;
  const ipaBasePage = basePageOf(layout);
  const scratchW = layout.vcpuW + vcpu * VCPU.words + VCPU.scratch;
  const tableWalk = createTableWalk(arena.handle.memory, layout, scratchW * 4, access);
  const regionShift = levelShift(geometry, layout.config.level) - layout.pageShift;

  const tlbs = createPeTlbs(arena, cpu);
  const { combined, stage2, walk: walkCache } = tlbs;
  const update = createLeafUpdate(arena, scratchW, walkCache, recorder, ring);
  const conflicts = createConflicts(vcpu, tlbs, recorder);
  const evidence = createWalkEvidence(recorder);

  const { tlb: tlbSize, walkcache, hafdbs: updates } = cpu;
  let nt: NtBehaviour;
  use(cpu);

  function use(model: CpuModel): void {
    assert(
      model.tlb === tlbSize && model.walkcache === walkcache && model.hafdbs === updates,
      'another TLB geometry, or who updates descriptors, needs another MMU',
    );
    nt = conflicts.use(model);
    tlbs.empty();
  }

  // Constants of this closure, which V8 folds; imported and module-level ones it loads each time.
  const patterns = descriptorPatterns(arena, updates);
  const { leafHigh, leafHighMask, leafLow, leafLowMask, tableHigh, tagMaskHigh } = patterns;
  const { ntBit, afBit, tableOrPageBit, dbmHigh, tagShift, farMask } = patterns;
  const { guestBaseFrame, tableBaseFrame, frameShift, placeOf } = patterns;
  const { poisonLow, poisonHigh } = patterns;
  const [miss, multiMatch] = [MISS, MULTIHIT];
  const { combined: viaCombined, stage2: viaStage2, walk: viaWalk } = VIA;
  const lineWords = LINE_WORDS;
  const descriptorsW = scratchW + WALKED.descriptors;
  const ghostBeforeW = scratchW + WALKED.before;
  const ghostAfterW = scratchW + WALKED.ghost;
  const freshMask = FRESH_WALK_MASK;
  const metaWords = META_WORDS;
  const generationW = metaW + META_GENERATION;
  const [writable, readable, readWrite] = [FLAG_W, FLAG_R, FLAG_W | FLAG_R];
  const clean = FLAG_CLEAN;
  const [wordOf, tagOf, levelOf, allows] = [entryData, dataTag, dataLevel, isAllowed];
  const loggingW = CONTROL.logging;
  const loggingOff = LOGGING.off;

  /** The walk under way is a store's: it may make what it finds dirty. */
  let isStore = false;
  const last = { via: 0, level: 0, low: 0, high: 0, walks: 0, before: 0 };

  const ghostIndex = (page: number): number => ghostW + (page >> regionShift) * lineWords;

  /**
   * 4 KiB frame number of an address field. Bits below the granule are cleared by the callers'
   * shifts.
   */
  const frameOf = (low: number, high: number): number => (low >>> 12) | ((high & 0xffff) << 20);

  /** A leaf descriptor for `page`: checks it, applies nT, lets hardware update it, fills both TLBs. */
  function leaf(page: number, low: number, high: number, level: number): number {
    const span = 1 << (indexBits * (3 - level));
    const isBlock = level < 3;
    if ((high & leafHighMask) !== leafHigh || (low & leafLowMask) !== leafLow) {
      return evidence.torn(page, low, high, level);
    }
    if ((low & afBit) === 0 && !updates) return FAULT.accessFlag;
    // Guest memory and tables lie below 2^44: a frame number then fits a word, and higher bits are wrong.
    const isFar = (high & farMask) !== 0;
    const first = isFar ? -span : ((frameOf(low, high) - guestBaseFrame) >> frameShift) & -span;
    const tag = (high >>> tagShift) & 15;
    const expected = (page & -span) + placeOf(tag);
    if (first !== expected) {
      const found = first >= 0 && first + span <= layout.guestPages ? first : -1;
      evidence.address(page, found, expected, viaWalk, level);
      if (found < 0) return FAULT.wild;
    }
    let flags = (low & 0x80 ? writable : 0) | (low & 0x40 ? readable : 0);
    if (flags === readable && updates && (high & dbmHigh) !== 0) {
      flags = readable | clean;
    } else if (
      // Every version of every mapping here is readable and writable (regions.ts), but for what dirty
      // logging has write-protected.
      flags !== readWrite &&
      (flags !== readable || Atomics.load(i32, loggingW) === loggingOff)
    ) {
      evidence.permission(page, flags);
    }
    let data = wordOf(first + (page & (span - 1)), tag, level, flags);

    const isNt = isBlock && (low & ntBit) !== 0 && nt !== 'ignored';
    if (isNt) {
      if (nt === 'fault') return FAULT.nt;
      if (nt === 'conflict' && conflicts.meetsPages(page, span, level)) return FAULT.conflict;
    }
    if (updates) {
      data = update(page, low, high, level, data, isStore);
      // Software, or another PE, has changed it since it was loaded: what it is now counts.
      if (data === miss) return walk(page);
      if (data < 0) return data;
    }
    // Used, not cached: that is what nT=1 is for (I_XPRKH).
    if (isNt) return data;
    stage2.insert(page, level, data);
    combined.insert(page, level, data);
    return data;
  }

  function walk(page: number): number {
    let level = startLevel;
    let table = 0;
    let tag = -1;
    last.walks++;
    // Start from the deepest table the walk cache still names. Now and then a walk starts at the
    // root all the same: real walk caches are shared with stage 1 and the host and forget, and one
    // that never did would hide every race that needs a fresh walk.
    if ((last.walks & freshMask) !== 0) {
      for (let cachedLevel = 2; cachedLevel >= startLevel; cachedLevel--) {
        const cached = walkCache.lookup(page, cachedLevel);
        if (cached < 0) continue;
        level = cachedLevel + 1;
        table = cached >> 4;
        tag = cached & 15;
        break;
      }
    }
    tableWalk((page + ipaBasePage) | 0, level, table, ghostIndex(page) << 2);
    for (;;) {
      const low = i32[descriptorsW + 2 * level] as number;
      const high = i32[descriptorsW + 2 * level + 1] as number;
      last.level = level;
      last.low = low;
      last.high = high;
      if (tag >= 0) {
        // The generation moves before a page can be handed out again, so a page freed under this
        // walk shows here. A correct protocol frees none: until this vCPU polls, no DSB completes.
        const generation = i32[generationW + table * metaWords] as number;
        const poisoned = low === poisonLow && high === poisonHigh;
        if ((generation & 15) !== tag || poisoned) {
          return evidence.freed(page, table, tag, generation & 15, poisoned);
        }
      }
      if ((low & 1) === 0) return FAULT.translation;
      if (level === 3) {
        if ((low & tableOrPageBit) === 0) return FAULT.translation;
        return leaf(page, low, high, 3);
      }
      if ((low & tableOrPageBit) === 0) return leaf(page, low, high, level);
      if ((high & ~tagMaskHigh) !== tableHigh) return evidence.torn(page, low, high, level);
      const isFar = (high & farMask) !== 0;
      const next = isFar ? -1 : (frameOf(low, high) - tableBaseFrame) >> frameShift;
      if (next < 0 || next >= layout.tablePages) return evidence.noTable(page, level);
      table = next;
      tag = (high >>> tagShift) & 15;
      walkCache.insert(page, level, table, tag);
      level++;
    }
  }

  function translate(page: number): number {
    // A plain load: an older word only allows more.
    let before = i32[ghostIndex(page)] as number;
    let data = combined.lookup(page);
    let via: number = viaCombined;
    if (data === miss) {
      data = stage2.lookup(page);
      via = viaStage2;
      if (data >= 0) combined.insert(page, levelOf(data), data);
    }
    if (data === miss) {
      data = walk(page);
      // Read by the walk itself: a call of Atomics.load costs as much as two of its levels.
      before = i32[ghostBeforeW] as number;
      via = viaWalk;
    }
    last.via = via;
    last.before = before;
    if (data === multiMatch) {
      data = conflicts.multihitOf(via === viaCombined ? combined : stage2, page, via);
    }
    if (data < 0) return data;
    const after =
      via === viaWalk ? (i32[ghostAfterW] as number) : Atomics.load(i32, ghostIndex(page));
    if (!allows(tagOf(data), before, after)) evidence.version(page, data, before, after, via);
    const expected = page + placeOf(tagOf(data));
    if (data >>> 10 !== expected && via !== viaWalk) {
      evidence.address(page, data >>> 10, expected, via, levelOf(data));
    }
    return data;
  }

  function makeDirty(page: number): number {
    combined.invalidate(VMID, page, page + 1, 0);
    stage2.invalidate(VMID, page, page + 1, 0);
    isStore = true;
    const data = translate(page);
    isStore = false;
    return data;
  }

  return {
    tlbs,
    use,
    emptyTlbs: tlbs.empty,
    emptyVm: tlbs.emptyVm,
    translate,
    makeDirty,
    last,
    prefetch(page) {
      if (tlbSize === 0 || combined.lookup(page) !== miss || stage2.lookup(page) !== miss) return;
      walk(page);
    },
  };
}
