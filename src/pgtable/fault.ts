/**
 * A vCPU's stage-2 abort, handled as user_mem_abort does (v5.12, or v6.2 where `s2.shared`). The
 * faulting vCPU runs it under the VM's lock, which the caller holds: exclusively, or for reading
 * and then within a read-side section (grace.ts).
 *
 * One deliberate difference: a translation fault whose entry permits the access by now changes
 * nothing (`spurious`). KVM calls map, which finds the same leaf and returns -EAGAIN, or, where the
 * size differs from the one it prefers, splits or coalesces on the way. Here sizes change when a
 * permission is missing or a protocol is under test.
 *
 * Another: a permission fault is answered by relaxing the leaf only if that is of the wanted level
 * when the lock is held. KVM compares the level in the syndrome alone, which is out of date if the page the
 * vCPU faulted on has become a write-protected block since: cancelling a migration and starting the
 * next one while the vCPU is on its way to the lock. Relaxing that block lets every store to it past
 * the dirty log (`relaxes`).
 *
 * Leaves out: pages that the host must bring in first, device memory, MMIO, mmu_notifier races,
 * instruction aborts.
 */
import { assertNever } from '../arch/assert.ts';
import {
  AF,
  DBM,
  type Descriptor,
  isValid,
  type LeafAttributes,
  LOCKED,
  NT,
  S2AP_R,
  S2AP_W,
} from '../arch/descriptor.ts';
import { type BlockLevel, entrySize, type Level } from '../arch/geometry.ts';
import { findLeaf } from './lookup.ts';
import { map } from './map.ts';
import type { AgainWhy } from './map-table.ts';
import type { Coalesce } from './map-table.ts';
import { makeYoung, relaxPermissions, type RelaxScope } from './permissions.ts';
import type { Stage2 } from './stage2.ts';
import type { Visit, WalkOptions } from './walker.ts';

/** What the vCPU saw: ESR_EL2 and HPFAR_EL2. */
export interface Fault {
  readonly ipa: number;
  readonly access: 'read' | 'write';
  readonly status: 'translation' | 'permission' | 'access-flag';
  /** Level of the descriptor that faulted. */
  readonly level: Level;
}

export interface FaultPolicy {
  /** Dirty logging: pages only, and writable only for a write. */
  readonly logging: boolean;
  /** Largest block the backing memory allows; null is pages only. */
  readonly blockLevel: BlockLevel | null;
  /**
   * The memslot: output address of a page aligned IPA, or null outside. Blocks need it contiguous
   * and congruent.
   */
  readonly slot: (ipa: number) => number | null;
  /**
   * Attributes of a new leaf, software tag included. Write permission is taken away where logging
   * wants that.
   */
  readonly attributes: (ipa: number) => LeafAttributes;
  /** mark_page_dirty: a write has been let through, after the fact (v5.12, 509552e65ae8). */
  readonly onDirty?: (ipa: number, size: number) => void;
  /**
   * The data cache must be cleaned for new mappings (no FWB): before map up to v5.13, in the broken
   * entry later.
   */
  readonly cleanCache?: boolean;
  readonly relaxScope?: RelaxScope;
  /** A leaf that is made writable gets DBM as well: from then on hardware keeps its dirty state. */
  readonly relaxesToDbm?: boolean;
  /**
   * When a permission fault relaxes the leaf instead of mapping anew: if the syndrome names the
   * wanted level and what is mapped now is of that level (`checked`); if the syndrome does (KVM); or
   * whatever the level (before 7d894834a305).
   */
  readonly relaxes?: 'checked' | 'by-syndrome' | 'any-leaf';
  /** The protocol that coalesces when a block is wanted where a table is. */
  readonly coalesce?: Coalesce;
  /** Fills holes only: what has become a block meanwhile is not split (map.ts). */
  readonly keepsBlocks?: boolean;
  readonly walk?: WalkOptions;
}

export type FaultResult =
  /** The mapping was there already, with permission. */
  | { readonly kind: 'spurious'; readonly level: Level }
  | { readonly kind: 'mapped'; readonly level: Level }
  /** Permissions were widened or the access flag set in place. */
  | { readonly kind: 'relaxed'; readonly level: Level }
  /** Nothing done, enter the guest and fault again. */
  | { readonly kind: 'again'; readonly why: AgainWhy | 'changing' }
  | { readonly kind: 'error'; readonly why: FaultError };

export type FaultError =
  | 'out-of-range'
  | 'no-memslot'
  /** A write to memory that policy maps read-only. */
  | 'read-only'
  /** "Unexpected L2 read permission error": a leaf nobody may read. */
  | 'read-permission';

export function handleFault(s2: Stage2, fault: Fault, policy: FaultPolicy): FaultResult {
  const write = fault.access === 'write';
  if (fault.status === 'permission' && !write) return { kind: 'error', why: 'read-permission' };
  const leaf = findLeaf(s2, fault.ipa, policy.walk);
  if (leaf === null) return { kind: 'error', why: 'out-of-range' };
  if (s2.shared && leaf.old === LOCKED) return { kind: 'again', why: 'locked' };
  // KVM knows no nT. Beside a protocol that set it, breaking the entry would fight with its next
  // store; under an exclusive lock nT is left over, and map replaces it like any other difference.
  if (s2.shared && isBlockWithNt(leaf)) return { kind: 'again', why: 'changing' };
  if (fault.status === 'access-flag') return age(s2, fault, leaf);
  if (fault.status === 'translation' && permits(s2, leaf, write)) {
    return { kind: 'spurious', level: leaf.level };
  }
  return resolve(s2, fault, policy, leaf);
}

function isBlockWithNt(leaf: Visit): boolean {
  return leaf.level < 3 && isValid(leaf.old) && (leaf.old & NT) !== 0n;
}

function permits(s2: Stage2, leaf: Visit, write: boolean): boolean {
  const needed: Descriptor = AF | S2AP_R | (write ? S2AP_W : 0n);
  const d = s2.hafdbs ? afterUpdate(leaf.old) : leaf.old;
  return isValid(d) && (d & needed) === needed && !isBlockWithNt(leaf);
}

/** As the walk of a store would leave it (FEAT_HAFDBS). */
function afterUpdate(d: Descriptor): Descriptor {
  return d | AF | ((d & DBM) === 0n ? 0n : S2AP_W);
}

function age(s2: Stage2, fault: Fault, leaf: Visit): FaultResult {
  const result = makeYoung(s2, fault.ipa);
  if (result.kind === 'error') return result;
  if (result.kind === 'again') return { kind: 'again', why: 'raced' };
  return { kind: result.changed > 0 ? 'relaxed' : 'spurious', level: leaf.level };
}

/** user_mem_abort proper: choose the size, then relax or map. */
function resolve(s2: Stage2, fault: Fault, policy: FaultPolicy, leaf: Visit): FaultResult {
  const { geometry: g } = s2;
  const write = fault.access === 'write';
  const level = mappingLevel(s2, fault.ipa, policy);
  if (level === null) return { kind: 'error', why: 'no-memslot' };
  const size = entrySize(g, level);
  const ipa = Math.floor(fault.ipa / size) * size;
  const pa = policy.slot(ipa);
  if (pa === null) return { kind: 'error', why: 'no-memslot' };
  if (write && !policy.attributes(ipa).write) return { kind: 'error', why: 'read-only' };

  const result =
    fault.status === 'permission' && mayRelax(fault, policy, leaf, level)
      ? relax(s2, fault, policy, leaf)
      : mapFault(s2, fault, policy, { ipa, size, pa, level });
  const done = result.kind === 'mapped' || result.kind === 'relaxed' || result.kind === 'spurious';
  if (done && write) policy.onDirty?.(ipa, size);
  return result;
}

function mayRelax(fault: Fault, policy: FaultPolicy, leaf: Visit, level: Level): boolean {
  const { relaxes = 'checked' } = policy;
  switch (relaxes) {
    case 'checked':
      return fault.level === level && (leaf.level === level || !isValid(leaf.old));
    case 'by-syndrome':
      return fault.level === level;
    case 'any-leaf':
      return true;
    default:
      return assertNever(relaxes);
  }
}

/**
 * vma_pagesize: pages under dirty logging, else the largest block that lies in the slot and is
 * congruent with it.
 */
function mappingLevel(s2: Stage2, ipa: number, policy: FaultPolicy): Level | null {
  const { geometry: g } = s2;
  const pageBytes = 2 ** g.pageShift;
  for (const level of g.blockLevels) {
    if (policy.logging || policy.blockLevel === null || level < policy.blockLevel) continue;
    const size = entrySize(g, level);
    const base = Math.floor(ipa / size) * size;
    const first = policy.slot(base);
    const last = policy.slot(base + size - pageBytes);
    if (first === null || last === null || first % size !== 0) continue;
    if (last - first === size - pageBytes) return level;
  }
  return policy.slot(Math.floor(ipa / pageBytes) * pageBytes) === null ? null : 3;
}

function relax(s2: Stage2, fault: Fault, policy: FaultPolicy, leaf: Visit): FaultResult {
  const { relaxScope, relaxesToDbm } = policy;
  const result = relaxPermissions(s2, fault.ipa, true, relaxScope, relaxesToDbm);
  if (result.kind === 'error') return result;
  // Unmapped since it faulted: the retry takes a translation fault.
  if (result.kind === 'again' || result.leaves === 0) return { kind: 'again', why: 'raced' };
  return { kind: result.changed > 0 ? 'relaxed' : 'spurious', level: leaf.level };
}

interface Target {
  readonly ipa: number;
  readonly size: number;
  readonly pa: number;
  readonly level: Level;
}

function mapFault(s2: Stage2, fault: Fault, policy: FaultPolicy, target: Target): FaultResult {
  const { ipa, size, pa, level } = target;
  const wanted = policy.attributes(ipa);
  const attributes = {
    ...wanted,
    write: wanted.write && (!policy.logging || fault.access === 'write'),
  };
  const cleanCache = policy.cleanCache === true;
  if (cleanCache && !s2.shared && fault.status !== 'permission') s2.tables.cleanDcache(pa, size);
  const result = map(s2, {
    ipa,
    size,
    pa,
    attributes,
    cleanCache: cleanCache && s2.shared,
    ...(policy.coalesce === undefined ? {} : { coalesce: policy.coalesce }),
    ...(policy.keepsBlocks === true ? { keepsBlocks: true } : {}),
  });
  if (result.kind === 'mapped') return { kind: 'mapped', level };
  return result.kind === 'again' ? { kind: 'again', why: result.why } : result;
}
