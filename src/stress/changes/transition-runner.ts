/**
 * One transition on real shared memory: the lock, the ghost word around it, the protocol on the
 * instrumented port, and the record of what it took.
 */
import { RwLock } from '#sync';
import { GUEST_VMID, type VmidBits } from '../../arch/context.ts';
import { type Descriptor, EMPTY, sameButState } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { Arena } from '../../machine/arena.ts';
import { GHOST_CHANGING, GHOST_STABLE, ghostWord } from '../../machine/ghost.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { CONTROL, GHOST, TRANSITION } from '../../machine/layout.ts';
import { EVENT, type Recorder } from '../../machine/recorder.ts';
import { Stopped } from '../../machine/tlb/shootdown.ts';
import type { TraceLog } from '../../machine/hypervisor/trace-log.ts';
import { toNs, type TransitionCpu } from '../../machine/hypervisor/transition-cpu.ts';
import type { ChangeName } from '../../port/kinds.ts';
import type { Protocol, Transition } from '../../port/index.ts';
import { isMade, isUpdated, type MadeChange, TRIES_MAX, wantedOf } from './change.ts';
import { runNamed } from './run-named.ts';
import type { Region, Regions } from '../regions/regions.ts';
import type { SoftwareSide } from '../regions/software-side.ts';

/**
 * `kept`: memory ran out, and the entry holds what it did. `broken`: it is neither that nor what was
 * wanted.
 */
export type Ending = 'made' | 'kept' | 'broken';

export interface TransitionRunner {
  /**
   * Runs `protocol` on `region`, which must be in the state it starts from. `slot` is the
   * transition record to use. Throws Stopped, or what the protocol throws.
   */
  run(
    protocol: Protocol,
    region: Region,
    slot: number,
    measured: boolean,
    log: TraceLog,
    more?: {
      readonly change?: MadeChange | undefined;
      /** Allocations of the protocol fail now and then. */
      readonly runsOut?: boolean;
    },
  ): Ending;
}

export function createTransitionRunner(
  arena: Arena,
  regions: Regions,
  software: SoftwareSide,
  port: TransitionCpu,
  recorder: Recorder,
  bbm: () => BbmLevel,
  spins: number,
  vmidBits: () => VmidBits = () => 16,
): TransitionRunner {
  const { i32, layout, descriptors } = arena;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const { level } = layout.config;

  function acquire(shared: boolean): void {
    const taken = shared
      ? RwLock.readLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop)
      : RwLock.writeLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop);
    if (taken === 'stopped') throw new Stopped('stopped while taking the mmu_lock');
    if (taken === 'timeout')
      throw new Error(`hypervisor did not get the mmu_lock in ${LAST_RESORT_MS} ms`);
  }

  return {
    run(protocol, region, slot, measured, log, { change, runsOut = false } = {}) {
      const at = layout.transitionW + slot * TRANSITION.words;
      i32.fill(0, at, at + TRANSITION.words);
      i32[at + TRANSITION.measured] = measured ? 1 : 0;
      const shared = protocol.lock === 'shared';
      acquire(shared);
      const lockedMs = performance.now();
      const version = regions.versionOf(region);
      const old = Atomics.load(descriptors, region.entry);
      const block = regions.blockAt(region, version + 1);
      const name: ChangeName = change?.name ?? (protocol.kind === 'split' ? 'split' : 'coalesce');
      const wanted = change === undefined ? block : wantedOf(change.name, block);
      change?.before?.();
      i32[region.ghostW + GHOST.slot + (version & (GHOST.slots - 1))] = slot;
      Atomics.store(i32, region.ghostW, ghostWord(version, GHOST_CHANGING));
      recorder.event(EVENT.transitionStart, version, measured ? 1 : 0, 0);
      const runFrom = (from: Descriptor): Descriptor => {
        const transition: Transition = Object.freeze({
          entry: region.entry,
          level,
          ipa: region.ipa,
          pa: regions.placeAt(region, version + 1),
          size: region.size,
          old: from,
          wanted,
          bbm: bbm(),
          vmid: protocol.vmid ?? GUEST_VMID,
        });
        port.begin(transition, {
          measured,
          log,
          ghostW: region.ghostW,
          lock: shared ? 'shared' : 'exclusive',
          ...(change === undefined ? {} : { change: change.name, tag: (version + 1) & 15 }),
          runsOut,
          context: { start: protocol.context ?? 'guest', vmid: transition.vmid, bits: vmidBits() },
        });
        runNamed(protocol, port, transition);
        port.drain();
        return Atomics.load(descriptors, region.entry);
      };
      let finished = false;
      let ending: Ending = 'broken';
      try {
        // What is found is looked at before anybody can fault on it.
        let from = old;
        let found = runFrom(from);
        const triesMax = shared ? TRIES_MAX : 1;
        for (let tries = 1; tries < triesMax; tries++) {
          if (isMade(name, found, wanted, level, protocol.hole) || !isUpdated(from, found)) break;
          log.end();
          from = found;
          found = runFrom(from);
        }
        const isMadeNow = isMade(name, found, wanted, level, protocol.hole);
        const isKept = !isMadeNow && port.end().ranOut && sameButState(found, old);
        ending = isMadeNow ? 'made' : isKept ? 'kept' : 'broken';
        // Only now: if the protocol throws, or the run is being stopped, nobody can say which version
        // holds, and the word goes on allowing both.
        Atomics.store(i32, region.ghostW, ghostWord(isKept ? version : version + 1, GHOST_STABLE));
        if (!isKept) change?.after?.();
        // Its VM takes bits for a hole, who fills holes here looks for zeros; no walker sees a difference.
        if (isMadeNow && wanted === EMPTY) Atomics.store(descriptors, region.entry, EMPTY);
        finished = true;
      } finally {
        if (!finished) Atomics.store(i32, region.ghostW, ghostWord(version, GHOST_CHANGING));
        // In any case: a vCPU that waits for the lock must get it and see the stop word.
        if (shared) RwLock.readUnlock(lock);
        else RwLock.writeUnlock(lock);
      }
      const figures = port.end();
      i32[at + TRANSITION.lockNs] = toNs(performance.now() - lockedMs);
      recorder.event(EVENT.transitionEnd, version + 1, 0, 0);
      i32[at + TRANSITION.windowNs] = figures.windowNs;
      i32[at + TRANSITION.ntWindowNs] = figures.ntWindowNs;
      i32[at + TRANSITION.flushNs] = figures.flushNs;
      i32[at + TRANSITION.writes] = figures.writes;
      i32[at + TRANSITION.tlbis] = figures.tlbis;
      log.end();
      if (software.grace.pending > 0) software.grace.drain(LAST_RESORT_MS);
      return ending;
    },
  };
}
