/**
 * How long to wait for threads that make no progress, on a machine that may be busy with other
 * things: a thread that wants a CPU and gets none is not one that hangs.
 *
 *   all asleep        nobody will wake them: time counts as it passes
 *   one wants to run  only the CPU time that this process got counts, so a loop that never ends is
 *                     told from a thread that waits its turn
 *
 * Where nothing is known of threads (outside of Linux) time counts as it passes.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Of this process, now. */
export interface Look {
  readonly nowMs: number;
  /** CPU time used so far, all threads together. */
  readonly cpuMs: number;
  /** Does a thread beside the one that asks want to run? Null: not known. */
  readonly wanted: boolean | null;
}

export interface Patience {
  /** `progress` is what moves while all is well. True once it has not for `boundMs`, as counted above. */
  isOver(progress: string, boundMs: number): boolean;
  /** By the clock. */
  sinceProgressMs(): number;
}

/** No look at all threads sooner after the last one: each takes a millisecond where others have the CPUs. */
const LOOK_MS_MIN = 50;

export function createPatience(
  look: () => Look = lookAtThreads,
  lookMsMin = look === lookAtThreads ? LOOK_MS_MIN : 0,
): Patience {
  let last: string | null = null;
  let before: Look = { nowMs: 0, cpuMs: 0, wanted: null };
  let sinceMs = 0;
  let spentMs = 0;
  return {
    isOver(progress, boundMs) {
      const isSoon = lookMsMin > 0 && performance.now() - before.nowMs < lookMsMin;
      if (isSoon && progress === last) return spentMs > boundMs;
      const now = progress === last ? look() : cheapLook();
      if (progress === last) {
        const passedMs = now.nowMs - before.nowMs;
        spentMs += now.wanted ? Math.min(passedMs, now.cpuMs - before.cpuMs) : passedMs;
      } else {
        last = progress;
        sinceMs = now.nowMs;
        spentMs = 0;
      }
      before = now;
      return spentMs > boundMs;
    },
    sinceProgressMs: () => before.nowMs - sinceMs,
  };

  /** While all is well nobody asks what threads do, which takes tens of microseconds. */
  function cheapLook(): Look {
    return look === lookAtThreads ? clocks() : look();
  }
}

function clocks(): Look {
  const { user, system } = process.cpuUsage();
  return { nowMs: performance.now(), cpuMs: (user + system) / 1000, wanted: null };
}

function lookAtThreads(): Look {
  return { ...clocks(), wanted: isAnyWanted() };
}

const TASKS = '/proc/self/task';

/** Main thread apart, which is the one that asks. */
function isAnyWanted(): boolean | null {
  try {
    const own = String(process.pid);
    return readdirSync(TASKS).some((task) => task !== own && isRunnable(task));
  } catch {
    return null;
  }
}

function isRunnable(task: string): boolean {
  try {
    const stat = readFileSync(`${TASKS}/${task}/stat`, 'latin1');
    // The name stands in parentheses and may hold anything; the state follows it. D: it waits for a disk.
    const state = stat[stat.lastIndexOf(')') + 2];
    return state === 'R' || state === 'D';
  } catch {
    // It has ended in between.
    return false;
  }
}
