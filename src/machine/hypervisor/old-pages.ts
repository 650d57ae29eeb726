/**
 * Which table pages the old entry's subtree is made of, for the trace: found when a protocol first
 * touches an entry that is not the target, and before it stores to one. Most never do.
 */
import { isTable } from '../../arch/descriptor.ts';
import type { Entry } from '../../port/cpu.ts';
import type { Transition } from '../../port/protocol.ts';
import type { Arena } from '../arena.ts';
import { NO_SLOT, NONE, pageLinked, traceAddresses } from './trace-words.ts';

export interface OldPages {
  begin(t: Transition): void;
  /** 0: the top page; 1 + n: the one that entry n of the top page points to; NO_SLOT: neither. */
  slotOf(entry: Entry): number;
  /** The same of a page, as far as it was asked for during the transition. */
  readonly slotOfPage: (page: number) => number;
}

export function createOldPages({ descriptors, layout }: Arena): OldPages {
  const entries = layout.entriesPerTable;
  const halves = new Int32Array(descriptors.buffer, descriptors.byteOffset);
  const addresses = traceAddresses(layout);
  /** By slot less one; NONE where the entry of the top page is no table. */
  const below = new Int32Array(entries);
  let top = NONE;
  let hasBelow = false;
  let isKnown = false;

  function look(): void {
    isKnown = true;
    const first = top * entries * 2;
    for (let i = 0; i < entries; i++) {
      const at = first + 2 * i;
      below[i] = pageLinked(addresses, halves[at] as number, halves[at + 1] as number);
    }
  }

  function slotOfPage(page: number): number {
    if (top === NONE) return NO_SLOT;
    if (page === top) return 0;
    const index = isKnown ? below.indexOf(page) : -1;
    return index < 0 ? NO_SLOT : 1 + index;
  }

  return {
    begin(t) {
      isKnown = false;
      top = isTable(t.old, t.level)
        ? Number(BigInt.asUintN(32, t.old) >> BigInt(layout.pageShift))
        : NONE;
      hasBelow = t.level === 1;
    },
    slotOf(entry) {
      if (hasBelow && !isKnown && top !== NONE) look();
      return slotOfPage(Math.floor(entry / entries));
    },
    slotOfPage,
  };
}
