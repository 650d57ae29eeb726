/**
 * The ring that a PE appends to what it makes dirty (FEAT_HDBSS), as hardware has it: entries in memory
 * (HDBSSBR_EL2), and the index of the next one in a register (HDBSSPROD_EL2).
 *
 *   entries   | p | q | r |   |   |          index 3: the next is the fourth
 *                       ^ may still be in the PE: stored by the next append, or by a DSB
 *
 * An entry is appended before the descriptor is changed, and no descriptor is changed where the ring is
 * full: the store faults (HDBSSF in ESR_EL2; AppendToHDBSS in the pseudocode of the walk). An update
 * that loses its exchange has appended a page that is not dirty, which costs sending it once more.
 *
 * The last entry is held back, because nothing orders an implicit store of the walker before what software
 * loads later on that PE, but a DSB. The register is exact: software reads it after an exception, which is
 * a context synchronization event as good as an ISB.
 *
 * Appends only while the memslot is logged, when a host sets VTCR_EL2.HDBSS. Leaves out external aborts and
 * granule protection faults on the ring, in which entries are lost and FSC says so.
 */
import { assert } from '../../arch/assert.ts';
import type { Arena } from '../arena.ts';
import { CONTROL, LOGGING, RING_ENTRIES, VCPU } from '../layout.ts';

export interface HdbssRing {
  /** False: it is full, and the descriptor must stay as it is. */
  append(page: number, level: number): boolean;
  /** DSB SY: all entries are in memory. */
  dsb(): void;
  /** HDBSSPROD_EL2. */
  index(): number;
  setIndex(index: number): void;
  /** The page of an entry in memory, or -1: there is none. */
  pageAt(index: number): number;
}

const VALID = 1;

export function createHdbssRing(arena: Arena, vcpu: number): HdbssRing {
  const { i32, layout } = arena;
  assert(layout.config.hdbss === true, 'a machine with rings');
  const indexW = layout.vcpuW + vcpu * VCPU.words + VCPU.ringIndex;
  const entriesW = layout.ringW + vcpu * RING_ENTRIES;
  /** The entry that is not in memory yet, and where it goes; 0: none. */
  let held = 0;
  let heldAt = 0;

  function dsb(): void {
    if (held !== 0) Atomics.store(i32, entriesW + heldAt, held);
    held = 0;
  }

  return {
    append(page, level) {
      if (Atomics.load(i32, CONTROL.logging) !== LOGGING.on) return true;
      const index = i32[indexW] as number;
      if (index === RING_ENTRIES) return false;
      dsb();
      held = (page << 3) | (level << 1) | VALID;
      heldAt = index;
      i32[indexW] = index + 1;
      return true;
    },
    dsb,
    index: () => i32[indexW] as number,
    setIndex(index) {
      assert(index >= 0 && index <= RING_ENTRIES, 'an index into the ring');
      i32[indexW] = index;
    },
    pageAt(index) {
      const entry = Atomics.load(i32, entriesW + index);
      return (entry & VALID) === 0 ? -1 : entry >>> 3;
    },
  };
}
