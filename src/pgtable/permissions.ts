/**
 * Changes of attributes in place: write-protect, relax, age (stage2_attr_walker and its callers).
 *
 * None of them needs break-before-make (R_WHZWS); a TLBI makes a permission change visible
 * (R_GPPYH). Before v6.2 the entry is read, changed and stored plainly, which loses an access flag
 * or dirty state that hardware sets in between (R_RTBRL); `hafdbs` and `shared` use
 * compare-exchange.
 */
import { assert } from '../arch/assert.ts';
import { AF, DBM, type Descriptor, isValid, S2AP_R, S2AP_W } from '../arch/descriptor.ts';
import { entrySize } from '../arch/geometry.ts';
import type { Cpu } from '../port/cpu.ts';
import { flushIpa } from '../port/sequences.ts';
import type { Stage2 } from './stage2.ts';
import { type Visit, walk } from './walker.ts';

export type UpdateResult =
  /** `leaves` valid leaves were met, `changed` of them stored to. */
  | { readonly kind: 'updated'; readonly leaves: number; readonly changed: number }
  /** Shared only: somebody else changed the entry meanwhile. */
  | { readonly kind: 'again' }
  | { readonly kind: 'error'; readonly why: 'out-of-range' };

/** Hardware changes an entry a few times at most before it has set all it can set. */
const CAS_ATTEMPTS_MAX = 16;

type Change = (d: Descriptor, visit: Visit) => Descriptor;
type Stored = (visit: Visit, old: Descriptor) => void;

/** One leaf: null if it changed under us for good, else whether anything was stored. */
function updateLeaf(s2: Stage2, v: Visit, change: Change, onStored?: Stored): boolean | null {
  const atomic = s2.shared || s2.hafdbs;
  let old = v.old;
  for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX && isValid(old); attempt++) {
    const wanted = change(old, v);
    if (wanted === old) return false;
    if (!atomic) s2.cpu.write(v.entry, wanted);
    const found = atomic ? s2.cpu.compareExchange(v.entry, old, wanted) : old;
    if (found === old) {
      onStored?.(v, old);
      return true;
    }
    // Beside other vCPUs it may be a different mapping by now; alone, only hardware can have
    // touched it.
    if (s2.shared) return null;
    old = found;
  }
  return null;
}

/**
 * Applies `change` to every valid leaf of the range; `onStored` is told what a changed entry held
 * before.
 */
export function updateLeaves(
  s2: Stage2,
  ipa: number,
  size: number,
  change: Change,
  onStored?: Stored,
): UpdateResult {
  let leaves = 0;
  let changed = 0;
  const result = walk<'again'>(s2, ipa, size, {
    leaf(v) {
      if (!isValid(v.old)) return null;
      leaves++;
      const stored = updateLeaf(s2, v, change, onStored);
      if (stored === true) changed++;
      return stored === null ? 'again' : null;
    },
  });
  if (result.kind === 'out-of-range') return { kind: 'error', why: result.kind };
  return result.kind === 'stopped' ? { kind: 'again' } : { kind: 'updated', leaves, changed };
}

/**
 * kvm_pgtable_stage2_wrprotect. No TLBI: the caller flushes the VM once afterwards, and until then
 * stores go on. `onWritable` is told of every leaf that was writable, with what the entry held. DBM
 * goes with the permission: with it hardware would give it back.
 */
export function writeProtect(
  s2: Stage2,
  ipa: number,
  size: number,
  onWritable?: (visit: Visit, old: Descriptor) => void,
): UpdateResult {
  return updateLeaves(s2, ipa, size, (d) => d & ~(S2AP_W | DBM), onWritable);
}

/**
 * Test and clear of the dirty state that hardware keeps, as the HW-DBM series of 2021-01-26 does it
 * (20210126124444): pages become writable-clean, and the next store to each makes it dirty again
 * without an exit. Blocks lose the write permission and DBM, so that the first store to one faults
 * and the log gets a page, not all of the block. `onDirty` is told of every leaf that was dirty. No
 * TLBI: until the caller has flushed, TLBs may let stores through that nothing records, so what these
 * stores wrote must be read after the flush.
 */
export function collectDirty(
  s2: Stage2,
  ipa: number,
  size: number,
  onDirty: (visit: Visit) => void = () => {},
): UpdateResult {
  assert(s2.hafdbs, 'only where hardware keeps dirty state');
  return updateLeaves(
    s2,
    ipa,
    size,
    (d, { level }) => (level === 3 ? (d | DBM) & ~S2AP_W : d & ~(S2AP_W | DBM)),
    (visit, old) => {
      if ((old & S2AP_W) !== 0n) onDirty(visit);
    },
  );
}

/**
 * Write-protection of what a PE's ring has named (FEAT_HDBSS): DBM stays where the write fault has set
 * it, so the next store to such a page makes it dirty, and is appended, without an exit. Blocks lose
 * both. No TLBI here either.
 */
export function makeClean(s2: Stage2, ipa: number, size: number): UpdateResult {
  assert(s2.hafdbs, 'only where hardware keeps dirty state');
  return updateLeaves(s2, ipa, size, (d, { level }) => d & ~(level === 3 ? S2AP_W : S2AP_W | DBM));
}

/**
 * __kvm_tlb_flush_vmid_ipa_nsh: this PE only, enough where a stale entry elsewhere only faults once
 * more.
 */
export function flushIpaLocal(cpu: Cpu, ipa: number, ttl: 0 | 1 | 2 | 3 = 0): void {
  cpu.dsb('nshst');
  cpu.tlbi({ kind: 'ipas2e1', ipa, ttl });
  cpu.dsb('nsh');
  cpu.tlbi({ kind: 'vmalle1' });
  cpu.dsb('nsh');
  cpu.isb();
}

/**
 * `broadcast` up to v6.3, `local` later: a relaxed permission need reach only the vCPU that
 * faulted.
 */
export type RelaxScope = 'broadcast' | 'local';

/**
 * kvm_pgtable_stage2_relax_perms of the leaf that maps `ipa`; `dbm` is given along. Flushes also when
 * nothing had to change or somebody else was faster: the faulting vCPU may hold the old permission in
 * its own TLB (2023-09 discussion of a12ab1378a88).
 */
export function relaxPermissions(
  s2: Stage2,
  ipa: number,
  write: boolean,
  scope: RelaxScope = s2.shared ? 'local' : 'broadcast',
  dbm = false,
): UpdateResult {
  const add = (write ? S2AP_R | S2AP_W : S2AP_R) | (dbm ? DBM : 0n);
  let leaf: Visit | null = null;
  const result = updateLeaves(s2, ipa, 1, (d, visit) => {
    leaf = visit;
    return d | add;
  });
  if (leaf !== null) flushLeaf(s2, leaf, scope);
  return result;
}

function flushLeaf(s2: Stage2, leaf: Visit, scope: RelaxScope): void {
  assert(leaf.level > 0, 'a leaf is at level 1 to 3');
  const bytes = entrySize(s2.geometry, leaf.level);
  const base = Math.floor(leaf.ipa / bytes) * bytes;
  if (scope === 'local') flushIpaLocal(s2.cpu, base, leaf.level);
  else flushIpa(s2.cpu, base, leaf.level);
}

/** kvm_pgtable_stage2_mkyoung: no TLBI, an entry without access flag is never cached (I_WZCBG). */
export function makeYoung(s2: Stage2, ipa: number): UpdateResult {
  const result = updateLeaves(s2, ipa, 1, (d) => d | AF);
  s2.cpu.dsb('ishst');
  return result;
}

/** kvm_pgtable_stage2_mkold. No TLBI here: the caller of the mmu notifier flushes. */
export function makeOld(s2: Stage2, ipa: number, size: number): UpdateResult {
  return updateLeaves(s2, ipa, size, (d) => d & ~AF);
}
