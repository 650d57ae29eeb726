/**
 * A vCPU: the loop of guest accesses, and what happens when one faults.
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
 */
import { waitForChange } from '#sync';
import { assert } from '../../arch/assert.ts';
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Arena } from '../arena.ts';
import type { AccessMode } from '../walk/descriptor-load.ts';
import { GHOST_STABLE, isAllowed, isExact, transitionOf } from '../ghost.ts';
import { nextRandom } from '../random.ts';
import { pageChooser, type Pattern } from './guest-pattern.ts';
import {
  CONTROL,
  EPISODES_MAX,
  GHOST,
  guestWordOf,
  LINE_WORDS,
  regionShift as regionShiftOf,
  TRANSITION,
  VCPU,
} from '../layout.ts';
import type { VcpuRing } from '../dirty/dirty-rings.ts';
import { createLateStore, type LateStore } from '../tlb/erratum.ts';
import { createMmu } from '../walk/mmu.ts';
import { createNeighbour } from './neighbour.ts';
import { EVENT, EVIDENCE, type Recorder, VIA } from '../recorder.ts';
import type { RunTokens } from './run-tokens.ts';
import { createReceiver } from '../tlb/shootdown.ts';
import type { TlbSet } from '../tlb/tlbi-codec.ts';
import { DATA_TAG_SHIFT, dataLevel, dataTag, FAULT, FLAG_CLEAN, FLAG_W } from '../tlb-entry.ts';
import { type FaultHandler, HANDLED } from './fault/handler.ts';

/** What a vCPU keeps of its guest across rounds and CPU models. */
export interface Guest {
  readonly shadow: Int32Array;
  /** Last value stored anywhere: stores are strictly increasing (and wrap). */
  sequence: number;
}

export function createGuest(arena: Arena): Guest {
  return { shadow: new Int32Array(arena.layout.pages), sequence: 0 };
}

export interface VcpuOptions {
  readonly vcpu: number;
  readonly cpu: CpuModel;
  readonly access: AccessMode;
  readonly bug: MachineBug | null;
  readonly pattern: Pattern;
  readonly storesPercent: number;
  /** Accesses between voluntary exits (interrupts, hypercalls). */
  readonly exitEvery: number;
  /**
   * Is the TLBI generation polled before each access, as hardware would take an invalidation at any
   * time, or once per batch? The latter gives a stale translation time to be used: for the control
   * that seeds a race on entry.
   */
  readonly pollsEachAccess: boolean;
  /** What the host does just before it enters again after a voluntary exit (entry-race.ts). */
  readonly beforeEntry: (() => void) | null;
  /** The scenario's hole pattern, or null if every page is always mapped. */
  readonly isMapped: ((indexInTable: number) => boolean) | null;
  /** Its dirty ring, on a machine that has them. */
  readonly ring?: VcpuRing | null;
}

/** Makes the accesses of stage 1 to 3, one call each. */
export type Sweep = (stage: number, access: (page: number, isStore: boolean) => void) => void;

export interface Vcpu {
  /** What this PE's own, local TLBIs act on. */
  readonly tlbs: TlbSet;
  /**
   * Rounds from here on run on `cpu`, which has the TLB geometry, the speculation and the hardware
   * updates of the one this vCPU was made with. Between rounds only.
   */
  use(cpu: CpuModel): void;
  /** The one seeded bug that may differ from round to round: `entry-unfenced`. Between rounds only. */
  setFenced(fenced: boolean): void;
  /**
   * Runs accesses until the round's end is declared; counts go to the vCPU's block. Returns false
   * if stopped.
   */
  runRound(round: number, seed: number): boolean;
  /**
   * A round of stages: for each stage the hypervisor calls, `sweep` makes its accesses. Until the
   * round's end is declared.
   */
  runStages(round: number, sweep: Sweep): void;
  /** Compares all of guest memory with the private copy. */
  compareMemory(): void;
  /** `count` accesses without rounds or tokens, for benchmarks and tests. */
  runAccesses(count: number): void;
}

const BATCH = 128;
const TOKEN_TURN = 10_000;
/**
 * Faults of one access that the handler calls good again: more is livelock, as when a walk cache
 * leads into a freed table for ever. Reported by the progress rule; the TLBs are then emptied so
 * that the run can go on.
 */
const FAULTS_MAX = 1000;
/**
 * How long after the end of a round an access may still meet a LOCKED entry: another vCPU may be
 * mapping there.
 */
const PROGRESS_BOUND_MS = 1000;
const SPECULATE_MASK = 7;
/** A vCPU between stages looks for the end of the round this often. */
const STAGE_WAIT_MS = 2;

export function createVcpu(
  arena: Arena,
  options: VcpuOptions,
  guest: Guest,
  recorder: Recorder,
  handler: FaultHandler,
  tokens: RunTokens,
): Vcpu {
  const { i32, layout } = arena;
  const { vcpu, cpu, bug, exitEvery, isMapped, pollsEachAccess, ring = null } = options;
  const { shadow } = guest;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const { guestStrideW, ghostW, pages, transitionW, entriesPerTable } = layout;
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
  const lineWords = LINE_WORDS;
  const viaWalk = VIA.walk;
  const walkEvent = EVENT.walk;
  const permissionFault = FAULT.permission;
  const handledSpurious = HANDLED.spurious;
  const batchSize = Math.min(BATCH, exitEvery);

  const mmu = createMmu(arena, vcpu, cpu, options.access, recorder, ring?.hardware);
  const { combined } = mmu.tlbs;
  const receiver = createReceiver(
    arena,
    vcpu,
    mmu.tlbs,
    bug,
    (generation, records) => recorder.event(EVENT.tlbiApplied, generation, records, 0),
    cpu.tlbi === 'repeat',
  );

  /**
   * When the episode now running began (ms), or -1: a cell, because a number in a closure would be
   * boxed anew, and in a buffer of its own (tlb.ts says why).
   */
  const episodeSince = new Float64Array(new ArrayBuffer(8)).fill(-1);
  /** Since when (ms) an access meets a LOCKED entry after the end of the round, or -1. */
  const stuckSince = new Float64Array(new ArrayBuffer(8)).fill(-1);
  let currentRound = 0;
  /** This round's accesses cannot be finished: it is over for this vCPU. */
  let stuck = false;

  const { beforeEntry } = options;
  /**
   * Was the page mapped when the access now resolved began? Asked before the walk: a transition that
   * ends between the fault and its handling maps everything.
   */
  let wasMapped = true;
  let random = 1;
  let step = 0;
  let issued = 0;
  let completed = 0;
  let inGuest = false;
  let seen = receiver.seen();

  /** What late stores store: no access in `batch` stores a negative value. */
  let lateSequence = 0;
  let latePage = 0;
  const lateStore = createLateStore(cpu.tlbi, receiver, {
    translate() {
      latePage = chooseAhead(nextRandom(random ^ ++lateSequence), lateSequence);
      const data = combined.lookup(latePage);
      return data >= 0 && (data & writable) !== 0 ? data : -1;
    },
    store(data) {
      const value = -lateSequence;
      i32[ownW + (data >>> 10) * guestStrideW] = value;
      shadow[latePage] = value;
      recorder.event(EVENT.access, latePage, value, 0);
      issued++;
      completed++;
    },
    isTlbiPending: () => Atomics.load(i32, generationW) !== receiver.seen(),
  });

  const bump = (word: number, by = 1): void => {
    i32[w + word] = (i32[w + word] as number) + by;
  };

  function enter(): void {
    ring?.serve();
    recorder.event(EVENT.enter, 0, 0, 0);
    goIn();
  }

  /** An entry that TLBIs are to race with: nothing stands between the hook and the store of the mode. */
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

  /**
   * First word of the record of the transition that a fault between two ghost words belongs to. A
   * vCPU that was away for longer than one transition cannot say which it was: such faults go to a
   * record of their own, which is counted and reported but belongs to no protocol. So do faults
   * while no transition ran: a page written for the first time since it was write-protected.
   */
  function recordOf(page: number, before: number, after: number): number {
    if (before === after && (before & 3) === GHOST_STABLE) return layout.outsideW;
    if (!isExact(before, after)) {
      bump(VCPU.ambiguous);
      return layout.unattributedW;
    }
    const slotW = ghostW + (page >> regionShift) * LINE_WORDS + GHOST.slot;
    const slot = i32[slotW + (transitionOf(before, after) & (GHOST.slots - 1))] as number;
    return transitionW + slot * TRANSITION.words;
  }

  /**
   * Counts a fault at its transition. The resets between measured transitions have records too,
   * which nobody reports.
   */
  function countFault(record: number, field: number): void {
    Atomics.add(i32, record + field, 1);
    Atomics.add(i32, CONTROL.faultsSeen, 1);
  }

  /** Miss, walk and faults until the access has a translation. FAULT.wild: it can never be made. */
  function resolve(page: number, isStore: boolean): number {
    let outcome: number = handledSpurious;
    episodeSince[0] = -1;
    stuckSince[0] = -1;
    let loop = 0;
    for (let faults = 0; ;) {
      if (i32[generationW] !== seen) applyPending();
      const before = Atomics.load(i32, ghostW + (page >> regionShift) * lineWords);
      wasMapped = handler.wasMapped(page);
      let data = mmu.translate(page, before) | 0;
      if (mmu.last.via === viaWalk) recorder.event(walkEvent, page, mmu.last.level, data);
      if (data >= 0 && isStore && (data & writable) === 0) {
        if ((data & clean) !== 0) data = mmu.makeDirty(page, before) | 0;
        if (data >= 0 && (data & writable) === 0) {
          // The level of what denied it, which a TLB may have said.
          mmu.last.level = dataLevel(data);
          data = permissionFault;
        }
      }
      if (data >= 0) {
        if (episodeSince[0] >= 0) recordEpisode();
        return data;
      }
      if (data === FAULT.wild) return data;
      const after = Atomics.load(i32, ghostW + (page >> regionShift) * LINE_WORDS);
      recorder.event(EVENT.fault, page, data, mmu.last.level);
      outcome = exit(page, isStore, data, recordOf(page, before, after), outcome === HANDLED.again);
      if (bug === 'drop-after-fault') return FAULT.wild;
      if (Atomics.load(i32, CONTROL.stop) !== 0) {
        bump(VCPU.inFlight);
        return FAULT.wild;
      }
      loop = outcome === HANDLED.again ? loop + 1 : 0;
      if (loop > (i32[w + VCPU.longestLoop] as number)) i32[w + VCPU.longestLoop] = loop;
      if (outcome === HANDLED.again && isStuckAfterEnd(page)) return FAULT.wild;
      // A LOCKED entry may stay as long as its owner is away; a mapping that software finds good
      // must soon work.
      if (outcome !== HANDLED.again && ++faults === FAULTS_MAX) {
        recorder.evidence(EVIDENCE.livelock, page, faults, 0, 0, 0, 0);
        mmu.emptyVm();
      }
      if (faults > FAULTS_MAX && Atomics.load(i32, CONTROL.roundEnd) >= currentRound) {
        stuck = true;
        return FAULT.wild;
      }
    }
  }

  /**
   * The round is over, so nobody is at work on the tables, and still the entry is LOCKED: it will
   * stay so.
   */
  function isStuckAfterEnd(page: number): boolean {
    if (Atomics.load(i32, CONTROL.roundEnd) < currentRound) return false;
    const now = performance.now();
    if ((stuckSince[0] as number) < 0) stuckSince[0] = now;
    const waitedMs = now - (stuckSince[0] as number);
    if (waitedMs < PROGRESS_BOUND_MS) return false;
    recorder.evidence(EVIDENCE.progress, page, Math.round(waitedMs), 0, 0, 0, 0);
    stuck = true;
    return true;
  }

  /**
   * Leaves the guest, handles the fault as KVM does, comes back. `again`: the last try met a LOCKED
   * entry.
   */
  function exit(
    page: number,
    isStore: boolean,
    code: number,
    record: number,
    again: boolean,
  ): number {
    leave();
    let outcome: number = HANDLED.relaxed;
    if (code === FAULT.conflict) outcome = conflictAbort(record);
    else if (code === FAULT.ringFull) ringFull(record);
    else outcome = abort(page, isStore, code, record, again);
    if (outcome !== HANDLED.stopped) enter();
    return outcome;
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
  function ringFull(record: number): void {
    ring?.flush();
    countFault(record, TRANSITION.genuine);
  }

  function abort(
    page: number,
    isStore: boolean,
    code: number,
    record: number,
    again: boolean,
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

  function recordEpisode(): void {
    const n = i32[w + VCPU.episodes] as number;
    if (n < EPISODES_MAX) {
      const ns = Math.round((performance.now() - (episodeSince[0] as number)) * 1e6);
      i32[w + VCPU.episodeLengths + n] = Math.min(2 ** 31 - 1, ns);
    }
    i32[w + VCPU.episodes] = n + 1;
  }

  function wrongValue(page: number, found: number, atEnd: number): void {
    recorder.event(EVENT.access, page, found, 0);
    recorder.evidence(EVIDENCE.value, page, found, shadow[page] as number, atEnd, 0, 0);
    // Taken over, so that one lost store is one report.
    shadow[page] = found;
  }

  /** Half-populated tables: until the transition runs, the guest keeps to what is mapped. */
  function withinMapped(page: number): number {
    const word = i32[ghostW + (page >> regionShift) * LINE_WORDS] as number;
    // Stable and of an even version is table state; the second half of each table is mapped in
    // every scenario.
    return (word & 7) === 0 ? page | (entriesPerTable >> 1) : page;
  }

  /** The word was read once without Atomics: look again before accusing anybody. */
  function wrongVersion(page: number, data: number, word: number): void {
    const after = Atomics.load(i32, ghostW + (page >> regionShift) * LINE_WORDS);
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
    let state = random | 0;
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
          if (!stuck) continue;
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
    random = state;
    const made = (at - (step | 0)) | 0;
    // Never negative: patterns take it modulo the number of pages.
    step = at & 0x7fff_ffff;
    guest.sequence = sequence;
    const done = made - missed;
    issued += made;
    completed += done;
    i32[w + VCPU.heartbeat] = ((i32[w + VCPU.heartbeat] as number) + done) | 0;
  }

  /** One access, as in `batch`: for guests that do not choose pages at random. */
  function access(page: number, isStore: boolean): void {
    if (i32[generationW] !== seen) applyPending();
    issued++;
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
    if (speculates && (completed & SPECULATE_MASK) === 0) {
      random = nextRandom(random);
      mmu.prefetch(chooseAhead(random, completed));
    }
    completed++;
    bump(VCPU.heartbeat);
  }

  /** The stage called after `last`, or 0 once the round is over. */
  function nextStage(last: number, round: number): number {
    while (!isOver(round)) {
      const stage = Atomics.load(i32, CONTROL.stage);
      if (stage !== last && stage >> 2 === round) return stage;
      waitForChange(i32, CONTROL.stage, stage, 0, STAGE_WAIT_MS);
    }
    return 0;
  }

  function publishCounts(): void {
    bump(VCPU.issued, issued);
    bump(VCPU.completed, completed);
    bump(VCPU.walks, mmu.last.walks);
    issued = 0;
    completed = 0;
    mmu.last.walks = 0;
  }

  /** Where the page lies now: no transition is running. */
  function placeOf(page: number): number {
    if (layout.config.relocates !== true) return 0;
    const word = i32[ghostW + (page >> regionShift) * LINE_WORDS] as number;
    return ((word >> 2) & 1) * pages;
  }

  const isOver = (round: number): boolean =>
    Atomics.load(i32, CONTROL.roundEnd) >= round || Atomics.load(i32, CONTROL.stop) !== 0;

  const neighbour =
    layout.config.hasNeighbours === true
      ? createNeighbour(arena, vcpu, mmu.tlbs, cpu.tlb, recorder, {
          enter,
          leave,
          poll: () => {
            if (i32[generationW] !== seen) applyPending();
          },
        })
      : null;

  function runNeighbour(): void {
    if (neighbour === null) return;
    const made = neighbour.run(random);
    issued += made;
    completed += made;
  }

  /** Online with a place: batches until the round is over or the turn ends. */
  function turn(round: number): void {
    let sinceExit = 0;
    let sinceToken = 0;
    ring?.load();
    enter();
    while (!isOver(round)) {
      batch(batchSize);
      sinceExit += batchSize;
      sinceToken += batchSize;
      if (sinceToken >= TOKEN_TURN && tokens.scheduled && tokens.wanted()) break;
      if (sinceExit >= exitEvery) {
        sinceExit = 0;
        leave();
        runNeighbour();
        if (beforeEntry === null) enter();
        else enterRacing();
      }
    }
    if (inGuest) leave();
    ring?.put();
  }

  return {
    tlbs: mmu.tlbs,
    use(model) {
      assert(model.spec === speculates, 'a vCPU that speculates is another vCPU');
      mmu.use(model);
    },
    setFenced: (fenced) => receiver.setFenced(fenced),
    runRound(round, seed) {
      random = seed;
      step = 0;
      currentRound = round;
      stuck = false;
      while (!isOver(round)) {
        if (!tokens.acquire(round)) break;
        turn(round);
        tokens.release();
      }
      publishCounts();
      return Atomics.load(i32, CONTROL.stop) === 0;
    },
    runStages(round, sweep) {
      currentRound = round;
      stuck = false;
      for (let stage = nextStage(0, round); stage !== 0; stage = nextStage(stage, round)) {
        if (!tokens.acquire(round)) break;
        ring?.load();
        enter();
        sweep(stage & 3, access);
        if (inGuest) leave();
        ring?.put();
        tokens.release();
        Atomics.store(i32, w + VCPU.stageDone, stage);
        Atomics.notify(i32, w + VCPU.stageDone);
      }
      publishCounts();
    },
    compareMemory() {
      for (let page = 0; page < pages; page++) {
        const found = i32[ownW + (page + placeOf(page)) * guestStrideW] as number;
        if (found !== shadow[page]) wrongValue(page, found, 1);
      }
      neighbour?.compareMemory();
    },
    runAccesses(count) {
      enter();
      for (let left = count; left > 0; left -= BATCH) batch(Math.min(BATCH, left));
      leave();
      publishCounts();
    },
  };
}
