/**
 * What a vCPU that has left the guest does about an abort, as a host does, and the accounting of it: at which
 * transition it is counted, as what, and how long the access took to get through.
 *
 * Faults are counted per access: `begin` with its first, `resolved` once it has a translation.
 */
import type { Arena } from '../../arena.ts';
import type { VcpuRing } from '../../dirty/dirty-rings.ts';
import { GHOST_STABLE, isExact, transitionOf } from '../../ghost.ts';
import {
  CONTROL,
  EPISODES_MAX,
  GHOST,
  LINE_WORDS,
  regionShift as regionShiftOf,
  TRANSITION,
  VCPU,
} from '../../layout.ts';
import { EVENT, type Recorder } from '../../recorder.ts';
import { FAULT } from '../../tlb-entry.ts';
import type { Mmu } from '../../walk/mmu.ts';
import { type FaultHandler, HANDLED } from './handler.ts';

export interface Aborts {
  begin: () => void;
  /** First word of the record of the transition that a fault between two ghost words belongs to. */
  recordOf: (page: number, before: number, after: number) => number;
  /**
   * Handles a fault of `code` as KVM does and counts it at `record`; returns one of HANDLED.
   * `wasMapped`: the page was, when the access began.
   */
  handle: (
    page: number,
    isStore: boolean,
    code: number,
    record: number,
    wasMapped: boolean,
  ) => number;
  resolved: () => void;
}

export function createAborts(
  { i32, layout }: Arena,
  vcpu: number,
  mmu: Mmu,
  handler: FaultHandler,
  recorder: Recorder,
  ring: VcpuRing | null,
): Aborts {
  const w = layout.vcpuW + vcpu * VCPU.words;
  const regionShift = regionShiftOf(layout) - layout.pageShift;

  /**
   * When the episode now running began (ms), or -1: a cell, because a number in a closure would be
   * boxed anew, and in a buffer of its own (tlb.ts says why).
   */
  const episodeSince = new Float64Array(new ArrayBuffer(8)).fill(-1);
  /** The last try of this access met a LOCKED entry. */
  let again = false;

  /**
   * A vCPU that was away for longer than one transition cannot say which it was: such faults go to
   * a record of their own, which is counted and reported but belongs to no protocol. So do faults
   * while no transition ran: a page written for the first time since it was write-protected.
   */
  function recordOf(page: number, before: number, after: number): number {
    if (before === after && (before & 3) === GHOST_STABLE) return layout.outsideW;
    if (!isExact(before, after)) {
      i32[w + VCPU.ambiguous] = (i32[w + VCPU.ambiguous] as number) + 1;
      return layout.unattributedW;
    }
    const slotW = layout.ghostW + (page >> regionShift) * LINE_WORDS + GHOST.slot;
    const slot = i32[slotW + (transitionOf(before, after) & (GHOST.slots - 1))] as number;
    return layout.transitionW + slot * TRANSITION.words;
  }

  /**
   * Counts a fault at its transition. The resets between measured transitions have records too,
   * which nobody reports.
   */
  function countFault(record: number, field: number): void {
    Atomics.add(i32, record + field, 1);
    Atomics.add(i32, CONTROL.faultsSeen, 1);
  }

  /**
   * What a host needs for FSC 0x30: VMALLS12E1, local, because by address need not remove
   * duplicates (R_BLRKC).
   */
  function conflictAbort(record: number): number {
    mmu.emptyVm();
    countFault(record, TRANSITION.conflict);
    return HANDLED.spurious;
  }

  /** A permission fault with HDBSSF: the page is as it should be, and its ring has room again. */
  function ringFull(record: number): number {
    ring?.flush();
    countFault(record, TRANSITION.genuine);
    return HANDLED.relaxed;
  }

  function abort(
    page: number,
    isStore: boolean,
    code: number,
    record: number,
    wasMapped: boolean,
  ): number {
    const sinceMs = performance.now();
    const outcome = handler.handle(page, isStore, mmu.last.level, code === FAULT.permission);
    recorder.event(EVENT.handled, page, outcome, 0);
    // Spurious: mapped before and after. What had to be mapped now was really gone, whatever the
    // flags said, and a permission that was missing was really missing.
    const isGenuine =
      code === FAULT.permission || outcome === HANDLED.mapped || outcome === HANDLED.split;
    const isSpurious = code === FAULT.nt || (wasMapped && !isGenuine);
    if (again) countFault(record, TRANSITION.retry);
    else if (code === FAULT.nt) countFault(record, TRANSITION.nt);
    else if (isSpurious) countFault(record, TRANSITION.spurious);
    else countFault(record, TRANSITION.genuine);
    if (isSpurious && !again && i32[record + TRANSITION.measured] === 1) episodeSince[0] = sinceMs;
    return outcome;
  }

  return {
    begin() {
      episodeSince[0] = -1;
      again = false;
    },
    recordOf,
    handle(page, isStore, code, record, wasMapped) {
      let outcome: number;
      if (code === FAULT.conflict) outcome = conflictAbort(record);
      else if (code === FAULT.ringFull) outcome = ringFull(record);
      else outcome = abort(page, isStore, code, record, wasMapped);
      again = outcome === HANDLED.again;
      return outcome;
    },
    resolved() {
      if ((episodeSince[0] as number) < 0) return;
      const n = i32[w + VCPU.episodes] as number;
      if (n < EPISODES_MAX) {
        const ns = Math.round((performance.now() - (episodeSince[0] as number)) * 1e6);
        i32[w + VCPU.episodeLengths + n] = Math.min(2 ** 31 - 1, ns);
      }
      i32[w + VCPU.episodes] = n + 1;
    },
  };
}
