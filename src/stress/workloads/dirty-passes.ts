/**
 * The dirty log as a migration uses it: write-protect, flush, fetch the bits, send what they name
 * (kvm_pgtable_stage2_wrprotect, kvm_get_dirty_log_protect and what user space does with the
 * result). Seeded bugs leave out or misplace one of these steps.
 *
 * With hardware dirty state (FEAT_HAFDBS) pages become writable-clean instead of read-only, stores to
 * them take no fault, and a pass collects what hardware has set before it fetches the bits. Blocks are
 * still write-protected, and split by the first store (as in the HW-DBM series of 2021-01-26): their
 * dirty state would name 512 pages where one was stored to.
 *
 *   pass                                   a vCPU that stores to a clean page
 *   test-and-clear S2AP[1], atomically     walk, set S2AP[1], atomically
 *   TLBI, DSB: no TLB says dirty           store
 *   copy the pages that were dirty
 *
 * With rings (FEAT_HDBSS) nobody scans: hardware appends what it makes dirty, and the vCPUs move that to the
 * bitmap (machine/dirty/dirty-rings.ts). All is write-protected first, without DBM; the fault of the first
 * store to a page gives it both, and later passes take the permission alone. Before a pass the vCPUs are
 * told to flush; whether that is waited for is drawn, because it must not matter: what comes late is there
 * for the next pass, and the last one finds the guest stopped and each ring flushed.
 *
 * The store is performed after its S2AP[1] is in memory. If the pass has missed that, the next one
 * finds it; if the pass has cleared it, the vCPU has not acknowledged the TLBI before the store, so
 * the copy has it.
 */
import type { Descriptor } from '../../arch/descriptor.ts';
import { entrySize } from '../../arch/geometry.ts';
import type { DirtyLog } from '../../machine/dirty/dirty-log.ts';
import { softwareStage2 } from '../../machine/hypervisor/software-cpu.ts';
import { createRingSync } from '../../machine/dirty/dirty-rings.ts';
import { collectDirty, makeClean, makeOld, writeProtect } from '../../pgtable/permissions.ts';
import type { Stage2 } from '../../pgtable/stage2.ts';
import type { Entry } from '../../port/cpu.ts';
import type { Destination } from './destination.ts';
import type { Workbench } from './workbench.ts';

export interface DirtyPasses {
  /** Write-protects all memory and empties the log, then flushes and sends everything. */
  first(): number;
  /** Sends what was stored to since the last pass. Both return the number of pages sent. */
  next(): number;
}

/** Pages whose access flag the host clears after each pass, at most. */
const AGED_PAGES_MAX = 512;
/** Of the bug that ages by plain stores: between its loads and its stores. */
const PREEMPTED_MS = 1;

export function createDirtyPasses(
  bench: Workbench,
  log: DirtyLog,
  destination: Destination,
): DirtyPasses {
  const { arena, regions, software, flusher } = bench;
  const { layout, geometry } = arena;
  const pageBytes = 2 ** layout.pageShift;
  const hafdbs = layout.config.hafdbs === true;
  const rings = layout.config.hdbss === true ? createRingSync(arena, flusher) : null;
  /** Dirty state is looked for in the leaves. */
  const scans = hafdbs && rings === null;
  const taken = new Int32Array(log.words);
  const stage2 = softwareStage2(arena, flusher, software.tables);

  const protect = rings === null ? writeProtect : makeClean;

  function protectPages(first: number, pages: number): void {
    protect(stage2, layout.ipaBase + first * pageBytes, pages * pageBytes);
  }

  /** kvm_arch_sync_dirty_log of the HW-DBM series: what the leaves say goes into the bitmap. */
  function collect(): void {
    for (const { ipa, size } of regions.all) {
      collectDirty(stage2, ipa, size, (leaf) => {
        const bytes = entrySize(geometry, leaf.level);
        const from = (Math.floor(leaf.ipa / bytes) * bytes - layout.ipaBase) / pageBytes;
        for (let page = from; page < from + bytes / pageBytes; page++) log.mark(page);
      });
    }
  }

  function send(first: number, pages: number): void {
    for (let page = first; page < first + pages; page++) destination.copy(page);
  }

  /** The lock is not held: what is stored meanwhile is in memory when this is complete. */
  function flush(): void {
    const { bug } = bench.planned;
    if (bug === 'protect-unflushed') return;
    flusher.dsb('ishst');
    flusher.tlbi({ kind: 'vmalls12e1is' });
    if (bug !== 'protect-without-dsb') flusher.dsb('ish');
  }

  /**
   * The host's reclaim looks at what is in use (clear_flush_young of the MMU notifier) while pages
   * are clean again and stores to them set dirty state: it must change the access flag and nothing
   * else.
   */
  function age(): void {
    const pages = Math.min(AGED_PAGES_MAX, layout.regionPages);
    const places = layout.pages / pages;
    const first = ((bench.random() >>> 8) % places) * pages;
    const ipa = layout.ipaBase + first * pageBytes;
    bench.underLock(() => {
      if (bench.planned.bug === 'aged-plainly') ageByPlainStores(stage2, ipa, pages * pageBytes);
      else makeOld(stage2, ipa, pages * pageBytes);
    });
    bench.flushVm();
  }

  return {
    first() {
      bench.underLock(() => {
        for (const { ipa, size } of regions.all) {
          if (scans) collectDirty(stage2, ipa, size);
          else writeProtect(stage2, ipa, size);
        }
        for (let word = 0; word < log.words; word++) log.take(word);
      });
      flush();
      send(0, layout.pages);
      return layout.pages;
    },
    next() {
      if (rings !== null) {
        if ((bench.random() & 512) === 0) rings.kick();
        else rings.kickAndWait();
      }
      const clearsLate = bench.planned.bug === 'dirty-cleared-late';
      bench.underLock(() => {
        if (scans) collect();
        for (let word = 0; word < log.words; word++) {
          taken[word] = clearsLate ? log.peek(word) : log.take(word);
        }
        // Hardware's log has protected what it found; what a fault has logged it found as well.
        if (!scans) eachRun(taken, protectPages);
      });
      flush();
      const sent = eachRun(taken, send);
      if (clearsLate) for (const [word, bits] of taken.entries()) log.clear(word, bits);
      if (hafdbs) age();
      return sent;
    },
  };
}

/** A seeded bug: all pages are looked at with plain loads, and what was seen is stored, aged. */
function ageByPlainStores(stage2: Stage2, ipa: number, size: number): void {
  const stores: (() => void)[] = [];
  const { cpu } = stage2;
  const write = (entry: Entry, d: Descriptor): void => {
    stores.push(() => cpu.write(entry, d));
  };
  makeOld({ ...stage2, hafdbs: false, cpu: { ...cpu, write } }, ipa, size);
  // Else some microseconds, in which no vCPU runs where other programs have the CPUs.
  preempted(PREEMPTED_MS);
  for (const store of stores) store();
}

/** This thread does not run for so long. */
function preempted(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Calls `visit` for each run of set bits and returns how many bits are set. */
function eachRun(words: Int32Array, visit: (first: number, count: number) => void): number {
  let set = 0;
  let first = -1;
  const end = words.length * 32;
  for (let bit = 0; bit <= end; bit++) {
    const word = words[bit >> 5] ?? 0;
    // Whole words of clean memory are the rule: passed over at once.
    if (word === 0 && first < 0) {
      bit |= 31;
    } else if (((word >>> (bit & 31)) & 1) === 1) {
      if (first < 0) first = bit;
    } else if (first >= 0) {
      visit(first, bit - first);
      set += bit - first;
      first = -1;
    }
  }
  return set;
}
