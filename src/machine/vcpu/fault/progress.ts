/**
 * The progress rule: an access that faults must get through soon. One that goes round and round although
 * software finds its mapping good, or that meets a LOCKED entry after the round's end, is evidence, and may
 * end the round for its vCPU.
 */
import type { Arena } from '../../arena.ts';
import { CONTROL, VCPU } from '../../layout.ts';
import { EVIDENCE, type Recorder } from '../../recorder.ts';
import type { Mmu } from '../../walk/mmu.ts';
import { HANDLED } from './handler.ts';

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

export interface Progress {
  startRound: (round: number) => void;
  /** An access faults for the first time. */
  begin: () => void;
  /** After a fault that ended in `outcome`, one of HANDLED: is the access to be tried again? */
  goesOn: (page: number, outcome: number) => boolean;
  /** This round's accesses cannot be finished: it is over for this vCPU. */
  isStuck: () => boolean;
}

export function createProgress(
  { i32, layout }: Arena,
  vcpu: number,
  mmu: Mmu,
  recorder: Recorder,
): Progress {
  const w = layout.vcpuW + vcpu * VCPU.words;
  /**
   * Since when (ms) an access meets a LOCKED entry after the end of the round, or -1: a cell, as in
   * aborts.ts.
   */
  const stuckSince = new Float64Array(new ArrayBuffer(8)).fill(-1);
  let currentRound = 0;
  let stuck = false;
  /** Of this access: faults in a row that met a LOCKED entry, and all others. */
  let loop = 0;
  let faults = 0;

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

  return {
    startRound(round) {
      currentRound = round;
      stuck = false;
    },
    begin() {
      stuckSince[0] = -1;
      loop = 0;
      faults = 0;
    },
    goesOn(page, outcome) {
      if (Atomics.load(i32, CONTROL.stop) !== 0) {
        i32[w + VCPU.inFlight] = (i32[w + VCPU.inFlight] as number) + 1;
        return false;
      }
      const again = outcome === HANDLED.again;
      loop = again ? loop + 1 : 0;
      if (loop > (i32[w + VCPU.longestLoop] as number)) i32[w + VCPU.longestLoop] = loop;
      if (again && isStuckAfterEnd(page)) return false;
      // A LOCKED entry may stay as long as its owner is away; a mapping that software finds good
      // must soon work.
      if (!again && ++faults === FAULTS_MAX) {
        recorder.evidence(EVIDENCE.livelock, page, faults, 0, 0, 0, 0);
        mmu.emptyVm();
      }
      if (faults > FAULTS_MAX && Atomics.load(i32, CONTROL.roundEnd) >= currentRound) {
        stuck = true;
        return false;
      }
      return true;
    },
    isStuck: () => stuck,
  };
}
