/**
 * Copies of memory that was write-protected. What has changed in it though nobody was given the
 * permission back is a store that was lost, and evidence.
 */
import { guestWordOf, VCPU } from '../../machine/layout.ts';
import { EVIDENCE } from '../../machine/recorder.ts';
import type { Region } from '../regions/regions.ts';
import type { Workbench } from './workbench.ts';

/** Of one look at copied memory, at most. */
const DIFFERENCES_MAX = 16;

export interface ProtectedMemory {
  /** The region's memory as it is now, no store to it being allowed. */
  copy: (region: Region) => void;
  /** Nobody has been given the permission since: then nothing may have been stored. */
  compare: (region: Region) => void;
  /** Stores to it are allowed from here on. */
  forget: (region: Region) => void;
  forgetAll: () => void;
}

export function createProtectedMemory({ arena, recorder }: Workbench): ProtectedMemory {
  const { i32, layout } = arena;
  const firstPage = ({ index }: Region): number => index * layout.regionPages;

  /**
   * What each region's memory held when it was protected, and the permission faults so far: each counts
   * twice, when it begins and when it ends. Null: one was under way, and may since have given the
   * permission to all, though it has not come to its end.
   */
  const copies = new Map<Region, { readonly words: Int32Array; relaxing: number | null }>();
  function relaxingNow(): number | null {
    let sum = 0;
    for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
      const noted = Atomics.load(i32, layout.vcpuW + vcpu * VCPU.words + VCPU.relaxing);
      if ((noted & 1) !== 0) return null;
      sum += noted;
    }
    return sum | 0;
  }
  const memoryOf = (region: Region): Int32Array => {
    const from = layout.guestW + firstPage(region) * layout.guestStrideW;
    return i32.subarray(from, from + layout.regionPages * layout.guestStrideW);
  };

  function copy(region: Region): void {
    const words = copies.get(region)?.words ?? new Int32Array(memoryOf(region).length);
    words.set(memoryOf(region));
    copies.set(region, { words, relaxing: relaxingNow() });
  }

  function compare(region: Region): void {
    const copied = copies.get(region);
    if (copied === undefined || copied.relaxing === null) return;
    if (copied.relaxing !== relaxingNow()) return;
    const memory = memoryOf(region);
    let found = 0;
    for (let page = 0; page < layout.regionPages && found < DIFFERENCES_MAX; page++) {
      for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
        const at = page * layout.guestStrideW + guestWordOf(layout, vcpu) - layout.guestW;
        const before = copied.words[at] as number;
        const now = memory[at] as number;
        if (before === now) continue;
        found++;
        recorder.evidenceAbout(vcpu, EVIDENCE.dirty, firstPage(region) + page, before, now);
      }
    }
  }

  return {
    copy,
    compare,
    forget: (region) => void copies.delete(region),
    forgetAll: () => copies.clear(),
  };
}
