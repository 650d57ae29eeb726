/**
 * What a guest accuses the machine of: a word that is not what it last stored there, a version that this
 * access may not have used. Whoever sees it in passing (accesses.ts) comes here, where it is looked at again
 * and written down.
 */
import type { Arena } from '../arena.ts';
import { isAllowed } from '../ghost.ts';
import { guestWordOf, LINE_WORDS, regionShift as regionShiftOf } from '../layout.ts';
import { EVENT, EVIDENCE, type Recorder, VIA } from '../recorder.ts';
import { dataLevel, dataTag } from '../tlb-entry.ts';
import type { Guest } from './guest.ts';

export interface GuestChecks {
  /** `found` is not what was last stored to the page: in a load (`atEnd` 0) or afterwards (1). */
  wrongValue: (page: number, found: number, atEnd: number) => void;
  /** The version in `data` may not go with `word`, which was read once without Atomics. */
  wrongVersion: (page: number, data: number, word: number) => void;
  /** Compares all of guest memory with the private copy. No transition is running. */
  compareMemory: () => void;
}

export function createGuestChecks(
  { i32, layout }: Arena,
  vcpu: number,
  { shadow }: Guest,
  recorder: Recorder,
): GuestChecks {
  const { guestStrideW, ghostW, pages } = layout;
  const ownW = guestWordOf(layout, vcpu);
  const regionShift = regionShiftOf(layout) - layout.pageShift;

  const ghostIndex = (page: number): number => ghostW + (page >> regionShift) * LINE_WORDS;

  function wrongValue(page: number, found: number, atEnd: number): void {
    recorder.event(EVENT.access, page, found, 0);
    recorder.evidence(EVIDENCE.value, page, found, shadow[page] as number, atEnd, 0, 0);
    // Taken over, so that one lost store is one report.
    shadow[page] = found;
  }

  /** Where the page lies now. */
  function placeOf(page: number): number {
    if (layout.config.relocates !== true) return 0;
    const word = i32[ghostIndex(page)] as number;
    return ((word >> 2) & 1) * pages;
  }

  return {
    wrongValue,
    wrongVersion(page, data, word) {
      // Look again before accusing anybody.
      const after = Atomics.load(i32, ghostIndex(page));
      if (isAllowed(dataTag(data), word, after)) return;
      recorder.event(EVENT.access, page, i32[ownW + (data >>> 10) * guestStrideW] as number, 0);
      recorder.evidence(
        EVIDENCE.version,
        page,
        dataTag(data),
        word,
        after,
        VIA.combined,
        dataLevel(data),
      );
    },
    compareMemory() {
      for (let page = 0; page < pages; page++) {
        const found = i32[ownW + (page + placeOf(page)) * guestStrideW] as number;
        if (found !== shadow[page]) wrongValue(page, found, 1);
      }
    },
  };
}
