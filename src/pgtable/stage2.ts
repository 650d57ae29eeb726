/**
 * One VM's stage-2 table as the software side sees it (struct kvm_pgtable and kvm_s2_mmu together):
 * where it starts, what it is changed through, and which generation of KVM's locking applies. The
 * caller holds the VM's lock.
 */
import { assert } from '../arch/assert.ts';
import { addressOf, type Descriptor, isTable, leafMayMap } from '../arch/descriptor.ts';
import { entrySize, type Geometry, type Level, type StartTable } from '../arch/geometry.ts';
import type { Cpu } from '../port/cpu.ts';
import type { Table, Tables } from '../port/tables.ts';
import type { PoolTables } from './tables.ts';

export interface Stage2 {
  readonly geometry: Geometry;
  readonly cpu: Cpu;
  /**
   * The port's tables and a look at counts, which unmap needs: a model of memory can offer that as
   * well.
   */
  readonly tables: Tables & Pick<PoolTables, 'countOf'>;
  /** First start table; `start.pages` of them stand side by side. */
  readonly root: Table;
  readonly start: StartTable;
  /**
   * The lock is held for reading, beside other vCPUs that fault (v6.2 on): entries are broken by
   * compare-exchange with LOCKED and whoever meets a LOCKED one comes back. Otherwise it is held
   * exclusively (before v6.2).
   */
  readonly shared: boolean;
  /**
   * Hardware sets access flag and dirty state (FEAT_HAFDBS). Attributes are then changed by
   * compare-exchange, as they are when `shared`, and a leaf that hardware would update permits what
   * it permits afterwards.
   */
  readonly hafdbs: boolean;
}

/** First IPA beyond the table: what all start tables together resolve. */
export function ipaEnd(s2: Stage2): number {
  const { geometry: g, start } = s2;
  return start.pages * g.entriesPerTable * entrySize(g, start.level);
}

/** May a leaf of `level` map [ipa, end) from `ipa` on to `pa`? KVM: kvm_block_mapping_supported. */
export function leafFits(g: Geometry, level: Level, ipa: number, end: number, pa: number): boolean {
  const size = entrySize(g, level);
  return size <= end - ipa && ipa % size === 0 && leafMayMap(g, level, pa);
}

/** The table whose address an entry held, valid or not any more. */
export function childOf(s2: Stage2, d: Descriptor, level: Level): Table {
  assert(isTable(d | 1n, level), `no table below 0x${addressOf(s2.geometry, d).toString(16)}`);
  return s2.tables.follow(d);
}
