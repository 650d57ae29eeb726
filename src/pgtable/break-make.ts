/**
 * Break and make of one entry, in both of KVM's generations.
 *
 *   exclusive (v5.12)   break: kvm_set_invalid_pte takes the valid bit alone, address and
 *                       attributes stay; flush; put_page. Make: store-release, get_page.
 *   shared (v6.2 on)    stage2_try_break_pte: compare-exchange with LOCKED, even over an invalid
 *                       entry, so that two faulting vCPUs cannot both make it; flush; put_page.
 *                       stage2_make_pte: get_page, store-release.
 *
 * Leaves out owner ids in invalid entries (pKVM), so only valid entries are counted.
 */
import { assert } from '../arch/assert.ts';
import { type Descriptor, isTable, isValid, LOCKED, VALID } from '../arch/descriptor.ts';
import { entrySize, type Level } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import { flushIpa, flushVmid } from '../port/sequences.ts';
import type { Stage2 } from './stage2.ts';

/** What an entry is and what it was read as. */
export interface EntryAt {
  readonly entry: Entry;
  readonly level: Level;
  /** Any IPA the entry maps. */
  readonly ipa: number;
  readonly old: Descriptor;
}

/**
 * Removes what TLBs may hold of a valid `old`: a table has many leaves below it, a leaf is one
 * address.
 */
export function flushOld(s2: Stage2, at: EntryAt): void {
  if (isTable(at.old, at.level)) return flushVmid(s2.cpu);
  const size = entrySize(s2.geometry, at.level);
  flushIpa(s2.cpu, Math.floor(at.ipa / size) * size, at.level);
}

/**
 * Makes the entry invalid and nobody's but ours. False (shared only): someone else was there first.
 */
export function tryBreak(s2: Stage2, at: EntryAt): boolean {
  const { cpu, tables } = s2;
  const valid = isValid(at.old);
  if (s2.shared) {
    if (at.old === LOCKED) return false;
    if (cpu.compareExchange(at.entry, at.old, LOCKED) !== at.old) return false;
  } else if (valid) {
    cpu.write(at.entry, at.old & ~VALID);
  }
  if (!valid) return true;
  flushOld(s2, at);
  tables.put(at.entry);
  return true;
}

/**
 * Puts a valid descriptor into a broken entry, and everything written before it is visible with it.
 */
export function make(s2: Stage2, entry: Entry, d: Descriptor): void {
  assert(isValid(d), `make of an invalid descriptor 0x${d.toString(16)}`);
  if (s2.shared) s2.tables.get(entry);
  s2.cpu.writeRelease(entry, d);
  if (!s2.shared) s2.tables.get(entry);
}
