/**
 * The dirty log as a migration uses it: write-protect, flush, fetch the bits, send what they name
 * (kvm_pgtable_stage2_wrprotect, kvm_get_dirty_log_protect and what user space does with the
 * result). Seeded bugs leave out or misplace one of these steps.
 */
import { startTable } from '../../arch/geometry.ts';
import type { DirtyLog } from '../../machine/dirty-log.ts';
import { IPA_BITS } from '../../machine/layout.ts';
import { createSoftwareCpu } from '../../machine/software-cpu.ts';
import { writeProtect } from '../../pgtable/permissions.ts';
import type { Stage2 } from '../../pgtable/stage2.ts';
import type { Table } from '../../port/tables.ts';
import type { Destination } from './destination.ts';
import type { Workbench } from './workbench.ts';

export interface DirtyPasses {
  /** Write-protects all memory and empties the log, then flushes and sends everything. */
  first(): number;
  /** Sends what was stored to since the last pass. Both return the number of pages sent. */
  next(): number;
}

export function createDirtyPasses(
  bench: Workbench,
  log: DirtyLog,
  destination: Destination,
): DirtyPasses {
  const { arena, regions, software, flusher } = bench;
  const { layout, geometry } = arena;
  const pageBytes = 2 ** layout.pageShift;
  const taken = new Int32Array(log.words);
  const stage2: Stage2 = {
    geometry,
    cpu: createSoftwareCpu(arena, flusher),
    tables: software.tables,
    root: 0 as Table,
    start: startTable(geometry, IPA_BITS),
    shared: false,
    atomicUpdates: false,
  };

  function protectPages(first: number, pages: number): void {
    writeProtect(stage2, layout.ipaBase + first * pageBytes, pages * pageBytes);
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

  return {
    first() {
      bench.underLock(() => {
        for (let word = 0; word < log.words; word++) log.take(word);
        for (const { ipa, size } of regions.all) writeProtect(stage2, ipa, size);
      });
      flush();
      send(0, layout.pages);
      return layout.pages;
    },
    next() {
      const clearsLate = bench.planned.bug === 'dirty-cleared-late';
      bench.underLock(() => {
        for (let word = 0; word < log.words; word++) {
          taken[word] = clearsLate ? log.peek(word) : log.take(word);
        }
        eachRun(taken, protectPages);
      });
      flush();
      const sent = eachRun(taken, send);
      if (clearsLate) for (const [word, bits] of taken.entries()) log.clear(word, bits);
      return sent;
    },
  };
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
