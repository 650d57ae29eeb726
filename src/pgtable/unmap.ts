/**
 * kvm_pgtable_stage2_unmap: removes every mapping of a range and the tables that become empty
 * (v5.13, where the entry is zeroed, with the level hint of 36e008323926, v6.9: none when a table
 * goes). One flush per entry; the deferred range flush of v6.6 and cache maintenance without FWB
 * are left out. Needs the lock exclusively.
 *
 * A block that only partly lies in the range goes as a whole, as in KVM: the rest is faulted in
 * again.
 */
import { EMPTY, isValid } from '../arch/descriptor.ts';
import { entrySize } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import { flushIpa } from '../port/sequences.ts';
import { flushOld } from './break-make.ts';
import { childOf, type Stage2 } from './stage2.ts';
import { walk } from './walker.ts';

export type UnmapResult =
  | { readonly kind: 'unmapped' }
  | { readonly kind: 'error'; readonly why: 'out-of-range' };

/** `hintsTables` is a bug: the level of a table as the hint of its flush (before 36e008323926). */
export function unmap(s2: Stage2, ipa: number, size: number, hintsTables = false): UnmapResult {
  const { cpu, tables, geometry: g } = s2;

  function zap(entry: Entry, flush: () => void): void {
    cpu.write(entry, EMPTY);
    flush();
    tables.put(entry);
  }

  const result = walk<never>(s2, ipa, size, {
    leaf(v) {
      if (isValid(v.old)) zap(v.entry, () => flushOld(s2, v));
      return null;
    },
    post(v) {
      const child = childOf(s2, v.old, v.level);
      if (tables.countOf(child) !== 1) return null;
      // The level of a table is a wrong hint for its walk-cache entry: no hint.
      const bytes = entrySize(g, v.level);
      const hint = hintsTables ? v.level : 0;
      zap(v.entry, () => flushIpa(cpu, Math.floor(v.ipa / bytes) * bytes, hint));
      tables.freeNow(child);
      return null;
    },
  });
  return result.kind === 'out-of-range'
    ? { kind: 'error', why: result.kind }
    : { kind: 'unmapped' };
}
