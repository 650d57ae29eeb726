/**
 * A second VM on a vCPU's thread, between two entries of the VM under test: its own VMID, tables and
 * memory, and entries of its own in the same TLBs.
 *
 *   VM under test (VMID 1)    enter ... leave                       enter ... leave
 *   neighbour (VMID 2)                        enter 32 accesses leave
 *
 * Nothing of it ever changes: one level-2 block, whose TLB entry nothing but a TLBI can remove
 * (layout.ts, NEIGHBOUR_BLOCK). So a miss after a hit is a TLBI that named the wrong VMID, unless one
 * for all VMIDs has come in between. Two neighbours take turns with the VMID, as when VMIDs roll
 * over; a translation to the other one's memory is a VMID that was reused without a flush.
 *
 * It has no walk cache of its own, takes no faults, and is not meant to be fast.
 */
import { makeLeaf, NORMAL_RW } from '../../arch/descriptor.ts';
import type { Arena } from '../arena.ts';
import { createDescriptorLoad } from '../walk/descriptor-load.ts';
import { nextRandom } from '../random.ts';
import {
  basePageOf,
  CONTROL,
  guestWordOf,
  NEIGHBOUR_BLOCK,
  NEIGHBOUR_VMID,
  NEIGHBOURS,
  VCPU,
} from '../layout.ts';
import { EVENT, EVIDENCE, type Recorder } from '../recorder.ts';
import { MISS } from '../tlb/tlb.ts';
import { dataGuestPage, entryData, FLAG_R, FLAG_W } from '../tlb-entry.ts';
import type { TlbSet } from '../tlb/tlbi-codec.ts';

/** What a neighbour needs of the vCPU whose thread it runs on. */
export interface NeighbourHost {
  /** Into and out of the guest: issuers wait for this PE in between. */
  enter(): void;
  leave(): void;
  /** Applies TLBIs that have come. */
  poll(): void;
}

export interface Neighbour {
  /** One turn, if one may run now; returns the accesses it made. */
  run(random: number): number;
  compareMemory(): void;
}

const ACCESSES = 32;
const BLOCK_LEVEL = 2;

export function createNeighbour(
  arena: Arena,
  vcpu: number,
  tlbs: TlbSet,
  tlbSize: number,
  recorder: Recorder,
  host: NeighbourHost,
): Neighbour {
  const { i32, layout } = arena;
  const { neighbourPages, neighbourW, guestStrideW, indexBits, entriesPerTable } = layout;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const scratchW = w + VCPU.neighbourScratch;
  const load = createDescriptorLoad(arena.handle.memory, scratchW * 4, 'wasm');
  const { combined, stage2 } = tlbs;
  const ownW = neighbourW + guestWordOf(layout, vcpu) - layout.guestW;
  const shadow = new Int32Array(NEIGHBOURS * neighbourPages);
  const firstPage = NEIGHBOUR_BLOCK * neighbourPages;
  const firstIpaPage = basePageOf(layout) + firstPage;
  const flags = FLAG_R | FLAG_W;
  // Regions enough to fill the last slot of the block entries too evict the neighbour's.
  const canBeEvicted =
    layout.config.level === BLOCK_LEVEL &&
    layout.config.blocks >= Math.min(tlbSize, NEIGHBOUR_BLOCK + 1);
  let sequence = 0;
  /** Which neighbour's entry both TLBs hold, since how many invalidations of everything. */
  let held = -1;
  let heldWipes = 0;

  const wipes = (): number => combined.wipes() + stage2.wipes();

  /** Guest page of the block's first page, or -1: its tables are not what was built. */
  function walk(which: number): number {
    let table = layout.startPages + which;
    for (let level = layout.startLevel; level <= BLOCK_LEVEL; level++) {
      const index = (firstIpaPage >> (indexBits * (3 - level))) & (entriesPerTable - 1);
      const low = load(layout.tablesB + (table * entriesPerTable + index) * 8);
      const high = i32[scratchW + 1] as number;
      const frame = (low >>> 12) | ((high & 0xfff) << 20);
      const frameShift = layout.pageShift - 12;
      if ((low & 3) === 3 && level < BLOCK_LEVEL) {
        table = (frame - layout.tablePaBase / 4096) >> frameShift;
        continue;
      }
      if ((low & 3) === 1) return (frame - layout.guestPaBase / 4096) >> frameShift;
      recorder.evidence(EVIDENCE.torn, firstPage, low, high, level, 0, 0);
      return -1;
    }
    return -1;
  }

  /** The guest page that `page` of the neighbour is sent to, or -1. */
  function translate(which: number, page: number): number {
    const both =
      combined.lookupAs(NEIGHBOUR_VMID, page) !== MISS &&
      stage2.lookupAs(NEIGHBOUR_VMID, page) !== MISS;
    if (!both && held === which && heldWipes === wipes() && !canBeEvicted) {
      recorder.evidence(EVIDENCE.neighbour, page, 0, 0, 0, 0, 0);
    }
    let data = combined.lookupAs(NEIGHBOUR_VMID, page);
    if (data === MISS) data = stage2.lookupAs(NEIGHBOUR_VMID, page);
    if (data === MISS) {
      const first = walk(which);
      i32[w + VCPU.neighbourWalks] = (i32[w + VCPU.neighbourWalks] as number) + 1;
      if (first < 0) return -1;
      data = entryData(first + (page - firstPage), 0, BLOCK_LEVEL, flags);
    }
    if (!both) {
      stage2.insertAs(NEIGHBOUR_VMID, page, BLOCK_LEVEL, data);
      combined.insertAs(NEIGHBOUR_VMID, page, BLOCK_LEVEL, data);
    }
    const isHeld = combined.lookupAs(NEIGHBOUR_VMID, page) !== MISS;
    held = isHeld ? which : -1;
    heldWipes = wipes();
    return dataGuestPage(data);
  }

  function access(which: number, random: number): void {
    const offset = (random >>> 5) & (neighbourPages - 1);
    const page = firstPage + offset;
    const found = translate(which, page);
    const expected = layout.guestPages + which * neighbourPages + offset;
    if (found >= 0 && found !== expected) {
      recorder.event(EVENT.walk, page, BLOCK_LEVEL, 0);
      recorder.evidence(EVIDENCE.foreign, page, found, expected, 0, 0, 0);
    }
    const at = which * neighbourPages + offset;
    const word = ownW + at * guestStrideW;
    if (random >>> 31 === 1) {
      sequence = (sequence + 1) | 0;
      i32[word] = sequence;
      shadow[at] = sequence;
    } else if (i32[word] !== shadow[at]) {
      compare(at, 0);
    }
  }

  function compare(at: number, atEnd: number): void {
    const found = i32[ownW + at * guestStrideW] as number;
    if (found === shadow[at]) return;
    const page = firstPage + (at % neighbourPages);
    recorder.evidence(EVIDENCE.value, page, found, shadow[at] as number, atEnd, 0, 0);
    shadow[at] = found;
  }

  function turn(which: number, seed: number): void {
    let random = seed;
    host.enter();
    for (let i = 0; i < ACCESSES; i++) {
      host.poll();
      random = nextRandom(random);
      access(which, random);
    }
    host.leave();
  }

  return {
    run(random) {
      // Published before the number is read: the hypervisor changes it and then waits for us.
      Atomics.store(i32, w + VCPU.neighbour, 1);
      const number = Atomics.load(i32, CONTROL.neighbour);
      if (number >= 0) turn(number % NEIGHBOURS, random);
      Atomics.store(i32, w + VCPU.neighbour, 0);
      Atomics.notify(i32, w + VCPU.neighbour);
      if (number < 0) return 0;
      i32[w + VCPU.neighbourAccesses] = (i32[w + VCPU.neighbourAccesses] as number) + ACCESSES;
      return ACCESSES;
    },
    compareMemory() {
      for (let at = 0; at < shadow.length; at++) compare(at, 1);
    },
  };
}

/** The block descriptor of neighbour `which`. */
export function neighbourBlock(arena: Arena, which: number): bigint {
  const { layout, geometry } = arena;
  const page = layout.guestPages + which * layout.neighbourPages;
  return makeLeaf(geometry, BLOCK_LEVEL, layout.guestPaBase + page * 2 ** layout.pageShift, {
    ...NORMAL_RW,
  });
}
