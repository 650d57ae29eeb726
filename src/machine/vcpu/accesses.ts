/**
 * The guest's accesses: the loop that makes them, and what each of them comes to.
 *
 * Per access: poll the TLBI generation; translate; load or store the guest word and compare; check
 * the version used against the region's ghost word. Nothing in this loop allocates, and it touches
 * no shared word but the generation, the ghost word and the guest word.
 *
 * The poll is a plain load on purpose. A stale value only delays the acknowledgement, and the
 * issuer waits for that; every batch starts with an Atomics.load, so the engine cannot keep a
 * hoisted value for ever. What the poll sees is only a hint: the slow path reads the generation
 * again with Atomics before it touches the TLB.
 *
 * The guest word: every vCPU owns one word in every page and keeps a private copy (`shadow`) of
 * what it last stored, so a load that returns anything else is a lost access or a wrong page.
 *
 * From the loop to the walk it is one closure: what its parts share on the way, as the generation seen, is
 * then a variable. What is rare has rooms of its own: what an abort leads to (fault/), evidence
 * (guest-checks.ts), stores on a core with an erratum (late-stores.ts).
 */
import type { Arena } from '../arena.ts';
import { isAllowed } from '../ghost.ts';
import { CONTROL, guestWordOf, LINE_WORDS, regionShift as regionShiftOf, VCPU } from '../layout.ts';
import { nextRandom } from '../random.ts';
import { EVENT, type Recorder, VIA } from '../recorder.ts';
import type { LateStore } from '../tlb/erratum.ts';
import type { Receiver } from '../tlb/shootdown.ts';
import { DATA_TAG_SHIFT, dataLevel, dataTag, FAULT, FLAG_CLEAN, FLAG_W } from '../tlb-entry.ts';
import type { Mmu } from '../walk/mmu.ts';
import type { Aborts } from './fault/aborts.ts';
import { type FaultHandler, HANDLED } from './fault/handler.ts';
import type { Progress } from './fault/progress.ts';
import type { GuestChecks } from './guest-checks.ts';
import { pageChooser } from './guest-pattern.ts';
import type { Course, Guest, VcpuOptions } from './guest.ts';
import { createLateStores } from './late-stores.ts';

/** What a vCPU has beside its guest. */
export interface VcpuParts {
  readonly mmu: Mmu;
  readonly receiver: Receiver;
  readonly recorder: Recorder;
  readonly handler: Pick<FaultHandler, 'wasMapped'>;
  readonly aborts: Aborts;
  readonly progress: Progress;
  readonly checks: GuestChecks;
}

export interface Accesses {
  readonly course: Course;
  /** Into the guest: from here on issuers of TLBIs wait for this PE. */
  enter: () => void;
  /** An entry that TLBIs are to race with: nothing stands between the hook and the store of the mode. */
  enterRacing: () => void;
  leave: () => void;
  /** False after an access that was given up because the run is being stopped. */
  isInGuest: () => boolean;
  /** Applies TLBIs that have come. */
  poll: () => void;
  /** From here on pages are drawn from `seed`. */
  startFrom: (seed: number) => void;
  /** `count` accesses, to pages drawn by the guest's pattern. */
  batch: (count: number) => void;
  /** One access, as in `batch`: for guests that do not choose pages at random. */
  access: (page: number, isStore: boolean) => void;
}

const SPECULATE_MASK = 7;

export function createAccesses(
  arena: Arena,
  options: VcpuOptions,
  guest: Guest,
  parts: VcpuParts,
): Accesses {
  const { i32, layout } = arena;
  const { vcpu, cpu, bug, beforeEntry, isMapped, pollsEachAccess, ring = null } = options;
  const { mmu, receiver, recorder, handler, aborts, progress } = parts;
  const { wrongValue, wrongVersion } = parts.checks;
  const { combined } = mmu.tlbs;
  const { shadow } = guest;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const { guestStrideW, ghostW, pages, entriesPerTable } = layout;
  const ownW = guestWordOf(layout, vcpu);
  const generationW = CONTROL.tlbiGeneration;
  const regionShift = regionShiftOf(layout) - layout.pageShift;
  const storeThreshold = Math.round((options.storesPercent / 100) * 256);
  const choosePage = pageChooser(options.pattern, pages, layout.regionPages);
  const speculates = cpu.spec;
  // Wherever a prefetcher goes, not where the guest is anyway. One closure serves both where it can.
  const chooseAhead =
    options.pattern === 'uniform' ? choosePage : pageChooser('uniform', pages, layout.regionPages);
  // V8 does not fold imported constants into the hot loop; constants of this closure it does.
  const lineShift = Math.log2(LINE_WORDS);
  const tagShift = DATA_TAG_SHIFT;
  const writable = FLAG_W;
  const clean = FLAG_CLEAN;
  const viaWalk = VIA.walk;
  const walkEvent = EVENT.walk;
  const permissionFault = FAULT.permission;

  const course: Course = { random: 1, issued: 0, completed: 0 };
  let step = 0;
  let inGuest = false;
  let seen = receiver.seen();
  const storer = { vcpu, guest, course, chooseAhead, tlbs: mmu.tlbs, receiver, recorder };
  const lateStore = createLateStores(arena, cpu.tlbi, storer);

  function enter(): void {
    ring?.serve();
    recorder.event(EVENT.enter, 0, 0, 0);
    goIn();
  }

  function enterRacing(): void {
    recorder.event(EVENT.enter, 0, 0, 0);
    beforeEntry?.();
    goIn();
  }

  function goIn(): void {
    receiver.enter();
    seen = receiver.seen();
    inGuest = true;
  }

  function leave(): void {
    recorder.event(EVENT.leave, 0, 0, 0);
    inGuest = false;
    receiver.leave();
    ring?.exited();
  }

  function applyPending(): void {
    if (lateStore === null) receiver.applyPending();
    else applyLate(lateStore);
    seen = receiver.seen();
    if (ring !== null && inGuest && ring.isRequested()) {
      leave();
      enter();
    }
  }

  /** A core with an erratum: a store is translated before, and takes effect after. */
  function applyLate(late: LateStore): void {
    late.translate();
    receiver.applyPending();
    late.land();
  }

  /** Miss, walk and faults until the access has a translation. FAULT.wild: it can never be made. */
  function resolve(page: number, isStore: boolean): number {
    for (let exits = 0; ; exits++) {
      if (i32[generationW] !== seen) applyPending();
      // Asked before the walk: a transition that ends between the fault and its handling maps everything.
      const wasMapped = handler.wasMapped(page);
      let data = mmu.translate(page) | 0;
      if (mmu.last.via === viaWalk) recorder.event(walkEvent, page, mmu.last.level, data);
      if (data >= 0 && isStore && (data & writable) === 0) {
        if ((data & clean) !== 0) data = mmu.makeDirty(page) | 0;
        if (data >= 0 && (data & writable) === 0) {
          // The level of what denied it, which a TLB may have said.
          mmu.last.level = dataLevel(data);
          data = permissionFault;
        }
      }
      if (data >= 0) {
        if (exits > 0) aborts.resolved();
        return data;
      }
      if (data === FAULT.wild) return data;
      if (exits === 0) {
        aborts.begin();
        progress.begin();
      }
      if (!exit(page, isStore, data, mmu.last.before, wasMapped)) return FAULT.wild;
    }
  }

  /** Leaves the guest, handles the fault, comes back. False: the access is given up. */
  function exit(
    page: number,
    isStore: boolean,
    code: number,
    before: number,
    wasMapped: boolean,
  ): boolean {
    const after = Atomics.load(i32, ghostW + (page >> regionShift) * LINE_WORDS);
    recorder.event(EVENT.fault, page, code, mmu.last.level);
    // While it is still waited for: the record's slot may be another transition's soon after.
    const record = aborts.recordOf(page, before, after);
    leave();
    const outcome = aborts.handle(page, isStore, code, record, wasMapped);
    if (outcome !== HANDLED.stopped) enter();
    return bug !== 'drop-after-fault' && progress.goesOn(page, outcome);
  }

  /** Half-populated tables: until the transition runs, the guest keeps to what is mapped. */
  function withinMapped(page: number): number {
    const word = i32[ghostW + (page >> regionShift) * LINE_WORDS] as number;
    // Stable and of an even version is table state; the second half of each table is mapped in
    // every scenario.
    return (word & 7) === 0 ? page | (entriesPerTable >> 1) : page;
  }

  /**
   * The hot loop: `count` accesses.
   *
   * The ghost word is read *after* the access: a flush is complete only when the accesses that use
   * old translations are (R_LXHLD), so what the word allows then is what this access may have used.
   * No vCPU can see it settle in mid-access unless a DSB did not wait for it.
   */
  function batch(count: number): void {
    // `| 0` where a number enters the loop: without it V8 keeps the variable tagged and converts it
    // in every iteration.
    let state = course.random | 0;
    let at = step | 0;
    let sequence = guest.sequence | 0;
    let missed = 0;
    const end = (at + count) | 0;
    if (i32[generationW] !== seen) applyPending();
    let polled = seen | 0;
    for (; at !== end; at = (at + 1) | 0) {
      if (pollsEachAccess && i32[generationW] !== polled) {
        applyPending();
        polled = seen | 0;
      }
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      let page = choosePage(state, at);
      if (isMapped !== null) page = withinMapped(page);
      const isStore = state >>> 24 < storeThreshold;
      let data = combined.lookup(page) | 0;
      if (data < 0 || (isStore && (data & writable) === 0)) {
        data = resolve(page, isStore) | 0;
        polled = seen | 0;
        if (data < 0) {
          missed++;
          if (!progress.isStuck()) continue;
          // Issued, and never to be completed.
          at = (at + 1) | 0;
          break;
        }
      }
      const index = ownW + (data >>> 10) * guestStrideW;
      if (isStore) {
        sequence = (sequence + 1) | 0;
        i32[index] = sequence;
        shadow[page] = sequence;
      } else if (i32[index] !== shadow[page]) {
        wrongValue(page, i32[index] as number, 0);
      }
      const word = i32[ghostW + ((page >> regionShift) << lineShift)] as number;
      const newer = ((data >>> tagShift) - (word >> 2) - ((word >> 1) & 1)) & 15;
      if (newer > (word & 1)) wrongVersion(page, data, word);
      if (speculates && (at & SPECULATE_MASK) === 0)
        mmu.prefetch(chooseAhead(nextRandom(state ^ at), at));
    }
    course.random = state;
    const made = (at - (step | 0)) | 0;
    // Never negative: patterns take it modulo the number of pages.
    step = at & 0x7fff_ffff;
    guest.sequence = sequence;
    const done = made - missed;
    course.issued += made;
    course.completed += done;
    i32[w + VCPU.heartbeat] = ((i32[w + VCPU.heartbeat] as number) + done) | 0;
  }

  function access(page: number, isStore: boolean): void {
    if (i32[generationW] !== seen) applyPending();
    course.issued++;
    let data = combined.lookup(page);
    if (data < 0 || (isStore && (data & writable) === 0)) data = resolve(page, isStore);
    if (data < 0) return;
    const index = ownW + (data >>> 10) * guestStrideW;
    if (isStore) {
      guest.sequence = (guest.sequence + 1) | 0;
      i32[index] = guest.sequence;
      shadow[page] = guest.sequence;
    } else if (i32[index] !== shadow[page]) {
      wrongValue(page, i32[index] as number, 0);
    }
    const word = i32[ghostW + (page >> regionShift) * LINE_WORDS] as number;
    if (!isAllowed(dataTag(data), word, word)) wrongVersion(page, data, word);
    if (speculates && (course.completed & SPECULATE_MASK) === 0) {
      course.random = nextRandom(course.random);
      mmu.prefetch(chooseAhead(course.random, course.completed));
    }
    course.completed++;
    i32[w + VCPU.heartbeat] = ((i32[w + VCPU.heartbeat] as number) + 1) | 0;
  }

  return {
    course,
    enter,
    enterRacing,
    leave,
    isInGuest: () => inGuest,
    poll() {
      if (i32[generationW] !== seen) applyPending();
    },
    startFrom(seed) {
      course.random = seed;
      step = 0;
    },
    batch,
    access,
  };
}
