/** A translation tree of a log: what a root register named. */
import { AF, type Descriptor, isLeaf, isTable, VALID } from '../../arch/descriptor.ts';
import type { Level } from '../../arch/geometry.ts';
import type { TreeShape } from './start-level.ts';

/** `stage2`: VTTBR_EL2, tagged by a VMID. `el2`: TTBR0_EL2, stage 1 of EL2 itself. */
export type Regime = 'stage2' | 'el2';

export interface Tree {
  readonly regime: Regime;
  readonly root: number;
  readonly shape: TreeShape;
  /** VMID of a stage-2 tree, ASID of the other; KVM gives a VM another one after a rollover. */
  id: number;
  /** The log said of its root who guards it, as an instrumented hypervisor does. */
  declared: boolean;
  /** Something valid was in it while it had `id`, so TLBs may hold entries of it. */
  filled: boolean;
  /** It had another number before. */
  renumbered: boolean;
  /** Stores that left something old in TLBs. */
  breaks: number;
  /** A tree was given up, and the log does not say which: it may have been this one. */
  doubtful: boolean;
}

export interface TablePage {
  readonly tree: Tree;
  /** First address of the table. */
  readonly base: number;
  /** Of its entries. */
  readonly level: Level;
  /** First input address it maps. */
  readonly ipa: number;
  /** Address of the entry that links it; null for a page of the root. */
  readonly parent: number | null;
}

/** An entry that hardware may read. */
export interface EntryPlace {
  readonly page: TablePage;
  readonly level: Level;
  readonly ipa: number;
  readonly size: number;
}

/**
 * A descriptor as TLBs see it: a leaf with AF = 0 faults and is cached nowhere unless hardware sets
 * the flag itself (I_WZCBG), so without that it is as good as invalid. What stands in an entry here has
 * been through this, so whoever asks whether it translates need not look at the flag again.
 */
export function cacheable(tree: Tree, value: Descriptor, level: Level): Descriptor {
  if (tree.shape.hardwareAf || (value & AF) !== 0n || !isLeaf(value, level)) return value;
  return value & ~VALID;
}

/** The table page that a descriptor points to, null if it is no table descriptor. */
export function childOf(tree: Tree, value: Descriptor, level: Level): number | null {
  return isTable(value, level) ? tableAddress(tree, value) : null;
}

const ADDRESS_48 = 0x0000_ffff_ffff_f000n;

function tableAddress({ shape }: Tree, value: Descriptor): number {
  const { geometry, large } = shape;
  const low = Number(value & ADDRESS_48 & ~((1n << BigInt(geometry.pageShift)) - 1n));
  if (large) return low + highAddress(value);
  return geometry.granule === '64k' ? low + Number((value >> 12n) & 0xfn) * 2 ** 48 : low;
}

/** Of a descriptor with FEAT_LPA2: bits [49:48] in their place, [51:50] in [9:8]. */
function highAddress(value: Descriptor): number {
  return Number((value >> 48n) & 3n) * 2 ** 48 + Number((value >> 8n) & 3n) * 2 ** 50;
}

/** A leaf that only FEAT_LPA2 knows: above 2^48, or a block of level 0. */
export function isLargeLeaf({ shape }: Tree, value: Descriptor, level: Level): boolean {
  if (!shape.large || (value & VALID) === 0n || isTable(value, level)) return false;
  return highAddress(value) !== 0 || (level === 0 && shape.geometry.granule === '4k');
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

export function entryText(address: number, { level, ipa, size, page }: EntryPlace): string {
  const { regime, id } = page.tree;
  const range = `${hex(ipa)} to ${hex(ipa + size - 1)}`;
  const what = regime === 'stage2' ? `IPA ${range}, VMID ${id}` : `VA ${range}, stage 1 of EL2`;
  return `entry at ${hex(address)}, level ${level}, ${what}`;
}
