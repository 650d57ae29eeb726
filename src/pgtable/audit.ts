/**
 * End-of-round audit: walks every table from the roots and compares what it finds with the pool's
 * books. The rules are KVM's: a page is free or reachable, and its count is 1 + its valid entries
 * (kvm_pgtable, page_count).
 *
 * The table must be quiescent: nobody writes, store buffers and grace periods are drained. Only
 * then may it be read in 32-bit halves, which takes 513 pages in well under a millisecond. It
 * observes; the checker judges.
 */
import { assert } from '../arch/assert.ts';
import { childLevel, entrySize, type Level } from '../arch/geometry.ts';
import type { Evidence } from '../result/evidence.ts';
import type { Table } from '../port/tables.ts';
import {
  GENERATION_TAG_MASK,
  META_STATE,
  META_WORDS,
  PAGE_STATE,
  POISON_HIGH,
  POISON_LOW,
} from './page-meta.ts';
import type { PagePool } from './page-pool.ts';

/** The start tables of one VM. */
export interface AuditRoot {
  readonly root: Table;
  readonly level: Level;
  /** Concatenated start tables, side by side from `root` on. */
  readonly pages: number;
}

export interface AuditResult {
  readonly evidence: readonly Evidence[];
  /** Tables reached, roots included. */
  readonly reachable: number;
  /** Pages neither free nor reachable. */
  readonly leaked: readonly Table[];
}

export interface Audit {
  run(round: number | null): AuditResult;
}

/**
 * Evidence that one broken table repeats per entry is cut here: the checker counts, people read the
 * first few.
 */
const EVIDENCE_MAX = 64;
const TABLE_BITS = 3;
const TAG_SHIFT = 55 - 32;

export function createAudit(pool: PagePool, roots: readonly AuditRoot[]): Audit {
  const { geometry: g, pages, meta } = pool.memory;
  const { halves } = pool;
  const entries = g.entriesPerTable;
  const seen = new Uint8Array(pages);
  let evidence: Evidence[] = [];
  let reachable = 0;
  let round: number | null = null;

  function note(e: Evidence): void {
    if (evidence.length < EVIDENCE_MAX) evidence.push(e);
  }

  /**
   * A table descriptor that leads to a page which is not what it was: freed, or freed and in use
   * again.
   */
  function isStale(table: number, tag: number, ipa: number): boolean {
    const state = pool.stateOf(table as Table);
    const found = pool.generationOf(table as Table) & GENERATION_TAG_MASK;
    if (state === PAGE_STATE.allocated && found === tag) return false;
    const first = table * entries * 2;
    const poisoned = halves[first] === POISON_LOW && halves[first + 1] === POISON_HIGH;
    note({
      kind: 'freed',
      reader: 'software',
      table,
      expectedGeneration: tag,
      foundGeneration: found,
      poisoned,
      vcpu: null,
      round,
      ipa,
    });
    return true;
  }

  function visitChild(table: number, at: number, level: Level, ipa: number): void {
    const low = halves[at] ?? 0;
    const high = halves[at + 1] ?? 0;
    const child = pool.pageOfHalves(low, high);
    if (child < 0) {
      pool.onAnomaly('bad-table', table, (at >> 1) - table * entries, 0);
      return;
    }
    if (!isStale(child, (high >> TAG_SHIFT) & GENERATION_TAG_MASK, ipa)) {
      visit(child, childLevel(level), ipa);
    }
  }

  function visit(table: number, level: Level, ipa: number): void {
    // A second link to one page: its count can only be right for one of them.
    if (seen[table] === 1) {
      noteCount(table, 2, 1, ipa);
      return;
    }
    seen[table] = 1;
    reachable++;
    const size = entrySize(g, level);
    const start = table * entries * 2;
    let valid = 0;
    for (let at = start; at < start + entries * 2; at += 2) {
      const low = halves[at] ?? 0;
      valid += low & 1;
      if (level < 3 && (low & TABLE_BITS) === TABLE_BITS) {
        visitChild(table, at, level, ipa + ((at - start) / 2) * size);
      }
    }
    const count = pool.countOf(table as Table);
    if (count !== 1 + valid) noteCount(table, count, 1 + valid, ipa);
  }

  function noteCount(table: number, found: number, expected: number, ipa: number): void {
    note({ kind: 'refcount', table, found, expected, vcpu: null, round, ipa });
  }

  function findLeaks(): Table[] {
    const leaked: Table[] = [];
    for (let page = pool.memory.rootPages; page < pages; page++) {
      if (seen[page] === 1) continue;
      const state = Atomics.load(meta, page * META_WORDS + META_STATE);
      if (state !== PAGE_STATE.free) leaked.push(page as Table);
    }
    return leaked;
  }

  return {
    run(ofRound) {
      seen.fill(0);
      evidence = [];
      reachable = 0;
      round = ofRound;
      for (const { root, level, pages: concatenated } of roots) {
        assert(root + concatenated <= pool.memory.rootPages, `root ${root} is not a root page`);
        const span = entrySize(g, level) * entries;
        for (let i = 0; i < concatenated; i++) visit(root + i, level, i * span);
      }
      const leaked = findLeaks();
      if (leaked.length > 0) {
        const kind = 'leak' as const;
        // First, so that the cut above never hides it.
        evidence.unshift({ kind, tables: leaked.length, vcpu: null, round, ipa: null });
      }
      return { evidence, reachable, leaked };
    },
  };
}
